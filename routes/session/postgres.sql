-- The table of sessions in PostgreSQL. Portal creates it when it starts. Where its user
-- may not create tables, run this file once as one who may, and then:
--
--   GRANT SELECT, INSERT, UPDATE, DELETE ON portal_sessions TO portal;
--
-- token is a hash, and data a sealed record, which cannot be compressed.
CREATE TABLE IF NOT EXISTS portal_sessions (
	token text COLLATE "C" PRIMARY KEY,
	data bytea NOT NULL,
	expiry timestamptz NOT NULL
);
ALTER TABLE portal_sessions ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE INDEX IF NOT EXISTS portal_sessions_expiry ON portal_sessions (expiry);
