-- The types that `types.txt` uses beside the built-in ones. Run it in a database of its own.
CREATE EXTENSION IF NOT EXISTS citext;
CREATE EXTENSION IF NOT EXISTS hstore;
CREATE EXTENSION IF NOT EXISTS ltree;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'very happy', 'quoted "label"');
CREATE DOMAIN positive AS int4 CHECK (VALUE > 0);
CREATE DOMAIN small_positive AS positive CHECK (VALUE < 100);
CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');
CREATE DOMAIN numbers AS int4[];
CREATE TYPE place AS (name text, latitude float8, visited date);
CREATE TYPE trip AS (id int8, stops place[], feeling mood, price numeric(10, 2), contact email);
CREATE TYPE single AS (only_field text);
CREATE TYPE moods AS RANGE (subtype = mood);
CREATE TYPE float_range AS RANGE (subtype = float8);
CREATE TYPE text_range AS RANGE (subtype = text, collation = "C");
