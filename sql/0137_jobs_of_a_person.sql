-- What a person has asked for in all organizations, of which only so much runs at once.
CREATE INDEX jobs_running_by_person ON jobs (user_id) WHERE status = 'processing';
