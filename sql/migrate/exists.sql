SELECT to_regclass('pontoon_migrations') IS NOT NULL AS found
