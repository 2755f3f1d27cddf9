-- What an API key must be allowed to read a file's content, besides the files themselves: what an export holds is read by whoever may read what it was made of.
ALTER TABLE files ADD COLUMN required_scope text;
UPDATE files f SET required_scope = CASE f.purpose WHEN 'archive' THEN 'person' WHEN 'personal_data' THEN 'clients:read' ELSE
    coalesce((SELECT CASE j.work WHEN 'finetuning_dataset' THEN 'conversations:read' ELSE j.payload ->> 'resource' || ':read' END FROM jobs j WHERE j.id = f.job_id), 'person') END
WHERE f.purpose IN ('archive', 'personal_data', 'export');
