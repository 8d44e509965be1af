-- How many connections this role may have on this database, what bounds them, and how many clients are there already.
SELECT
    current_setting('max_connections')::int8 AS max_connections,
    current_setting('superuser_reserved_connections')::int8 AS superuser_reserved,
    coalesce(current_setting('reserved_connections', true), '0')::int8 AS reserved,
    (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,
    (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user)::int8 AS role_limit,
    (SELECT datconnlimit FROM pg_database WHERE datname = current_database())::int8 AS database_limit,
    (
        SELECT count(*)
        FROM pg_stat_activity
        WHERE backend_type = 'client backend'
            AND split_part(application_name, ' (', 1) <> split_part(current_setting('application_name'), ' (', 1)
    ) AS others
