-- The live feed tells a message that is new from one that changed, for a reader who knows everything up to some position.
ALTER TABLE messages ADD COLUMN created_in xid8 NOT NULL DEFAULT pg_current_xact_id();
