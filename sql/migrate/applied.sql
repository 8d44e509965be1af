SELECT version, name, checksum FROM pontoon_migrations ORDER BY version
