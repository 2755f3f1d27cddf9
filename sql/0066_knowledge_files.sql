-- Documents that agents may know are files that somebody uploaded: a source keeps its file, and a file that a source needs is not thrown away.

ALTER TABLE files DROP CONSTRAINT file_purpose_is_known,
    ADD CONSTRAINT file_purpose_is_known CHECK (purpose IN ('import', 'export', 'archive', 'personal_data', 'attachment', 'recording', 'knowledge'));

ALTER TABLE knowledge_sources
    ADD COLUMN file_id uuid CONSTRAINT one_source_per_file UNIQUE REFERENCES files (id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT only_documents_have_a_file CHECK (file_id IS NULL OR type IN ('document', 'pdf'));

-- What goes with its organization is found by it.
CREATE INDEX web_widgets_by_organization ON web_widgets (organization_id);
CREATE INDEX user_sessions_by_organization ON user_sessions (organization_id);
