-- What a session is, as its server sees it: one row for each property.
-- Left out: application_name, which differs on purpose, and primary_conninfo, which may hold a password.
SELECT name, setting AS value
FROM pg_settings
WHERE name NOT IN ('application_name', 'primary_conninfo')
UNION ALL
SELECT property.name, property.value
FROM (
    VALUES
        ('current_user', current_user::text),
        ('session_user', session_user::text),
        ('role', current_setting('role')),
        ('is_superuser', current_setting('is_superuser')),
        ('current_database', current_database()::text),
        ('current_schemas', current_schemas(true)::text),
        ('in_recovery', pg_is_in_recovery()::text),
        ('server', version()),
        ('server_started', extract(epoch FROM pg_postmaster_start_time())::text),
        ('server_address', host(inet_server_addr()) || ':' || inet_server_port())
) AS property (name, value)
UNION ALL
SELECT property.name, property.value
FROM pg_stat_ssl AS tls
CROSS JOIN LATERAL (
    VALUES
        ('tls', tls.ssl::text),
        ('tls_version', tls.version),
        ('tls_cipher', tls.cipher),
        ('tls_client_dn', tls.client_dn)
) AS property (name, value)
WHERE tls.pid = pg_backend_pid()
ORDER BY name
