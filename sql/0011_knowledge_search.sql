-- How knowledge is found: by meaning (vectors, exact, inside one organization) and by words (full text in the chunk's language).

-- Which model made the vectors that an organization's questions are compared with. No row: the built-in embedder.
-- It changes in the transaction that gives all chunks of the organization vectors of the new model.
CREATE TABLE knowledge_settings (
    organization_id uuid PRIMARY KEY REFERENCES organizations (id) ON DELETE CASCADE,
    embedding_model text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
SELECT enable_tenant_isolation('knowledge_settings');
CREATE TRIGGER set_updated_at BEFORE UPDATE ON knowledge_settings FOR EACH ROW EXECUTE FUNCTION update_updated_at();
CREATE TRIGGER configuration_changed AFTER INSERT OR UPDATE OR DELETE ON knowledge_settings FOR EACH ROW EXECUTE FUNCTION notify_configuration_changed();

CREATE FUNCTION knowledge_embedding_model(org_uuid uuid) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = '' AS $$
    SELECT coalesce((SELECT s.embedding_model FROM public.knowledge_settings s WHERE s.organization_id = org_uuid), 'built-in-1')
$$;

-- The chunks nearest to a question: exact, of one organization, of what the agent may know (an article or chunk without an agent is for every
-- agent; without agent_uuid, all of them), published, and only with vectors of the model that the question's vector comes from.
CREATE FUNCTION match_knowledge_chunks(
    query_embedding vector(1536),
    org_uuid uuid,
    agent_uuid uuid DEFAULT NULL,
    article_uuid uuid DEFAULT NULL,
    match_count integer DEFAULT 5,
    similarity_threshold double precision DEFAULT 0.3)
RETURNS TABLE (id uuid, org_id uuid, agent_id uuid, article_id uuid, content text, metadata jsonb, embedding vector(1536), similarity double precision)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = '' AS $$
    SELECT m.id, m.organization_id, m.agent_id, m.article_id, m.content, m.metadata, m.embedding, 1 - m.distance
    FROM (
        SELECT c.id, c.organization_id, c.agent_id, c.article_id, c.content, c.metadata, c.embedding,
               c.embedding OPERATOR(public.<=>) query_embedding AS distance
        FROM public.knowledge_chunks c
        LEFT JOIN public.knowledge_articles a ON a.id = c.article_id
        WHERE c.organization_id = org_uuid
          AND c.embedding_model = (SELECT public.knowledge_embedding_model(org_uuid))
          AND c.embedding IS NOT NULL
          AND (agent_uuid IS NULL OR c.agent_id IS NULL OR c.agent_id = agent_uuid)
          AND (article_uuid IS NULL OR c.article_id = article_uuid)
          AND (c.article_id IS NULL OR (a.is_published AND (agent_uuid IS NULL OR a.agent_id IS NULL OR a.agent_id = agent_uuid)))
    ) m
    WHERE 1 - m.distance >= similarity_threshold
    ORDER BY m.distance, m.id
    LIMIT match_count
$$;

-- The configuration of full text for a language: its own where PostgreSQL has one, plain words elsewhere (Polish is stemmed by the application).
CREATE FUNCTION knowledge_text_config(language text) RETURNS regconfig
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = '' AS $$
    SELECT CASE language
        WHEN 'en' THEN 'pg_catalog.english' WHEN 'ru' THEN 'pg_catalog.russian' WHEN 'ar' THEN 'pg_catalog.arabic'
        WHEN 'fr' THEN 'pg_catalog.french' WHEN 'de' THEN 'pg_catalog.german' WHEN 'es' THEN 'pg_catalog.spanish'
        ELSE 'pg_catalog.simple' END::pg_catalog.regconfig
$$;

-- The words of a question, any of which may match. Also the plain words, so that a name is found in a text of another language.
CREATE FUNCTION knowledge_question(language text, question text, plain_words text) RETURNS tsquery
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = '' AS $$
    SELECT pg_catalog.string_agg('''' || pg_catalog.replace(pg_catalog.replace(w.lexeme, '\', '\\'), '''', '''''') || '''', ' | ')::pg_catalog.tsquery
    FROM (
        SELECT lexeme FROM pg_catalog.unnest(pg_catalog.to_tsvector(public.knowledge_text_config(language), question))
        UNION
        SELECT lexeme FROM pg_catalog.unnest(pg_catalog.to_tsvector('pg_catalog.simple', plain_words))
    ) w
$$;
GRANT EXECUTE ON FUNCTION match_knowledge_chunks(vector, uuid, uuid, uuid, integer, double precision), knowledge_embedding_model(uuid),
    knowledge_text_config(text), knowledge_question(text, text, text) TO agentplatform_api, agentplatform_engine;

-- Chunks that wait for a vector of the organization's model, or for any.
CREATE INDEX knowledge_chunks_without_vector ON knowledge_chunks (organization_id) WHERE embedding IS NULL;
