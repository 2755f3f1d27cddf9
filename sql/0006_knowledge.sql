-- What an agent may know: categories and articles, sources, and the chunks that are retrieved.

CREATE TABLE knowledge_categories (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    parent_id uuid REFERENCES knowledge_categories (id) ON DELETE CASCADE,
    title text NOT NULL,
    description text,
    sort_order integer NOT NULL DEFAULT 0,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX knowledge_categories_by_organization ON knowledge_categories (organization_id, sort_order);

CREATE TABLE knowledge_articles (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    category_id uuid REFERENCES knowledge_categories (id) ON DELETE SET NULL,
    agent_id uuid REFERENCES agents (id) ON DELETE CASCADE, -- NULL: every agent of the organization may know it
    title text NOT NULL CONSTRAINT article_title_is_not_blank CHECK (btrim(title) <> ''),
    content text NOT NULL,
    summary text,
    language text,
    tags text[] NOT NULL DEFAULT '{}',
    is_published boolean NOT NULL DEFAULT true,
    view_count integer NOT NULL DEFAULT 0,
    -- when its chunks were made, and from which version
    indexed_at timestamptz,
    indexed_version bigint,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX knowledge_articles_by_organization ON knowledge_articles (organization_id, created_at DESC, id DESC);
CREATE INDEX knowledge_articles_by_category ON knowledge_articles (category_id);
CREATE INDEX knowledge_articles_to_index ON knowledge_articles (updated_at) WHERE indexed_version IS NULL OR indexed_version < version;

CREATE TABLE knowledge_sources (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    agent_id uuid REFERENCES agents (id) ON DELETE CASCADE,
    name text NOT NULL,
    type text NOT NULL CONSTRAINT knowledge_source_type_is_known CHECK (type IN ('document', 'pdf', 'text', 'url')),
    content text,
    url text,
    storage_path text,
    status text NOT NULL DEFAULT 'pending' CONSTRAINT knowledge_source_status_is_known CHECK (status IN ('pending', 'processing', 'completed', 'failed')),
    error text,
    processed_at timestamptz,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX knowledge_sources_by_organization ON knowledge_sources (organization_id, created_at DESC, id DESC);
CREATE INDEX knowledge_sources_by_agent ON knowledge_sources (agent_id);

CREATE TABLE knowledge_chunks (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    agent_id uuid REFERENCES agents (id) ON DELETE CASCADE,
    article_id uuid REFERENCES knowledge_articles (id) ON DELETE CASCADE,
    source_id uuid REFERENCES knowledge_sources (id) ON DELETE CASCADE,
    chunk_index integer NOT NULL DEFAULT 0,
    content text NOT NULL,
    language text,
    metadata jsonb NOT NULL DEFAULT '{}'::jsonb,
    embedding vector(1536),
    embedding_model text, -- vectors of different models are never compared
    search tsvector,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT chunk_comes_from_an_article_or_a_source CHECK (num_nonnulls(article_id, source_id) = 1)
);
ALTER TABLE knowledge_chunks ALTER COLUMN embedding SET STORAGE PLAIN;
CREATE INDEX knowledge_chunks_by_organization ON knowledge_chunks (organization_id, agent_id);
CREATE INDEX knowledge_chunks_by_article ON knowledge_chunks (article_id);
CREATE INDEX knowledge_chunks_by_source ON knowledge_chunks (source_id);
CREATE INDEX knowledge_chunks_search ON knowledge_chunks USING gin (search);

SELECT enable_tenant_isolation(t) FROM unnest(ARRAY['knowledge_categories', 'knowledge_articles', 'knowledge_sources', 'knowledge_chunks']::regclass[]) t;

CREATE TRIGGER set_updated_at BEFORE UPDATE ON knowledge_categories FOR EACH ROW EXECUTE FUNCTION update_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON knowledge_articles FOR EACH ROW EXECUTE FUNCTION update_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON knowledge_sources FOR EACH ROW EXECUTE FUNCTION update_updated_at();
