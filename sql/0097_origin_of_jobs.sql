-- From where a job was asked for: what it changes says so in the log, as what a request changes does. No foreign key: it outlives the key.
ALTER TABLE jobs ADD COLUMN ip_address inet, ADD COLUMN user_agent text, ADD COLUMN api_key_id uuid;
