-- Work that takes longer than a request: jobs, what was wrong with single lines of their input, and the files that they read and write.

-- One run of a background task. Its input is taken in chunks: what a chunk changes and the position after it are one transaction, so that a job
-- goes on after a crash where it stopped. The seeds' job_status.
CREATE TABLE jobs (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    user_id uuid REFERENCES users (id) ON DELETE SET NULL, -- on whose behalf; NULL: the product's own
    type text NOT NULL CONSTRAINT job_type_is_known CHECK (type IN ('file_processing', 'report_generation', 'bulk_processing', 'model_finetuning')),
    -- the lowest role that may cancel it or run it again
    minimum_role text NOT NULL DEFAULT 'member' CONSTRAINT job_role_is_known CHECK (minimum_role IN ('viewer', 'member', 'manager', 'admin', 'owner')),
    -- what exactly is done: resource_import, organization_export ...
    work text NOT NULL CONSTRAINT job_work_is_a_word CHECK (work ~ '^[a-z][a-z_]{0,62}$'),
    status text NOT NULL DEFAULT 'pending' CONSTRAINT job_status_is_known CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')),
    payload jsonb NOT NULL DEFAULT '{}'::jsonb,
    progress jsonb NOT NULL DEFAULT '{}'::jsonb,
    result jsonb,
    error text,
    duration integer, -- milliseconds from the start to the end
    -- how far it has come; only the work itself understands it
    position jsonb,
    -- whose heartbeat is the lease, and the how-manieth run it is: a run that lost its lease commits nothing more
    instance_id uuid,
    attempts integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT now(), -- not before
    cancel_requested_at timestamptz,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    completed_at timestamptz,
    failed_at timestamptz,
    cancelled_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now(),
    changed_in xid8 NOT NULL DEFAULT pg_current_xact_id(), -- live events
    CONSTRAINT job_end_has_its_time CHECK (
        (status = 'completed') = (completed_at IS NOT NULL) AND (status = 'failed') = (failed_at IS NOT NULL) AND (status = 'cancelled') = (cancelled_at IS NOT NULL))
);
CREATE INDEX jobs_by_organization ON jobs (organization_id, created_at DESC, id DESC);
CREATE INDEX jobs_live_feed ON jobs (organization_id, changed_in, id);
CREATE INDEX jobs_unfinished ON jobs (organization_id, status, due_at) WHERE status IN ('pending', 'processing');
CREATE INDEX jobs_by_user ON jobs (user_id);

CREATE TABLE job_errors (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    job_id uuid NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    line bigint NOT NULL CONSTRAINT job_error_line_is_positive CHECK (line > 0),
    field text,
    detail text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX job_errors_by_job ON job_errors (job_id, line, id);
CREATE INDEX job_errors_by_organization ON job_errors (organization_id, created_at DESC, id DESC);

-- Files, in pieces: what is uploaded for an import, what an export made. The seeds' storage buckets are the purposes.
CREATE TABLE files (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    user_id uuid REFERENCES users (id) ON DELETE SET NULL,
    job_id uuid REFERENCES jobs (id) ON DELETE SET NULL, -- that made it
    purpose text NOT NULL CONSTRAINT file_purpose_is_known CHECK (purpose IN ('import', 'export', 'archive', 'personal_data', 'attachment', 'recording')),
    name text NOT NULL CONSTRAINT file_name_is_not_blank CHECK (btrim(name) <> ''),
    content_type text NOT NULL,
    size bigint NOT NULL DEFAULT 0 CONSTRAINT file_size_is_not_negative CHECK (size >= 0),
    sha256 bytea,
    is_complete boolean NOT NULL DEFAULT false,
    -- the lowest role that may read the content
    minimum_role text NOT NULL DEFAULT 'member' CONSTRAINT file_role_is_known CHECK (minimum_role IN ('viewer', 'member', 'manager', 'admin', 'owner')),
    expires_at timestamptz,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT complete_file_has_a_checksum CHECK (NOT is_complete OR sha256 IS NOT NULL)
);
CREATE INDEX files_by_organization ON files (organization_id, created_at DESC, id DESC);
CREATE INDEX files_by_job ON files (job_id);
CREATE INDEX files_by_expiry ON files (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE file_chunks (
    file_id uuid NOT NULL REFERENCES files (id) ON DELETE CASCADE,
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    byte_offset bigint NOT NULL CONSTRAINT chunk_offset_is_not_negative CHECK (byte_offset >= 0),
    content bytea NOT NULL,
    PRIMARY KEY (file_id, byte_offset)
);
ALTER TABLE file_chunks ALTER COLUMN content SET STORAGE EXTERNAL;
CREATE INDEX file_chunks_by_organization ON file_chunks (organization_id);

SELECT enable_tenant_isolation(t) FROM unnest(ARRAY['jobs', 'job_errors', 'files', 'file_chunks']::regclass[]) t;

CREATE TRIGGER set_updated_at BEFORE UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION update_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON files FOR EACH ROW EXECUTE FUNCTION update_updated_at();
