namespace AgentPlatform.Data.Conversations;

/// <summary>
/// The statements of a batch of commits. Each takes one array a column, one element a row. They run in one transaction, in this order;
/// those without rows are left out. A conversation whose version check failed has no row with this transaction's id, which is how the later
/// statements know to leave it alone.
/// </summary>
internal static class ConversationCommitStatements
{
    /// <summary>Contacts met for the first time, their identities and their conversations (version 0, which the next statement advances).</summary>
    public const string Meet = """
        WITH arriving AS (
            SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::timestamptz[], $14::text[], $15::boolean[])
                AS t (conversation_id, contact_id, organization_id, channel_id, platform, platform_user_id, name, username, phone, language, at, first_identity, is_group)
        ), met AS (
            INSERT INTO contacts (id, organization_id, channel_id, platform, platform_user_id, first_identity, name, platform_name, username, phone, language, last_interaction_at, is_group)
            SELECT contact_id, organization_id, channel_id, platform, platform_user_id, first_identity, name, name, username, phone, language, at, is_group FROM arriving
            ON CONFLICT DO NOTHING
            RETURNING id, client_id
        ), named AS (
            INSERT INTO contact_identities (channel_id, identity, contact_id, organization_id)
            SELECT a.channel_id, i.identity, a.contact_id, a.organization_id
            FROM unnest($12::uuid[], $13::text[]) AS i (contact_id, identity)
            JOIN arriving a USING (contact_id) JOIN met ON met.id = a.contact_id
            ON CONFLICT (channel_id, identity) DO NOTHING
        )
        INSERT INTO conversations (id, organization_id, channel_id, contact_id, client_id, version, started_at)
        SELECT a.conversation_id, a.organization_id, a.channel_id, a.contact_id, met.client_id, 0, a.at
        FROM arriving a JOIN met ON met.id = a.contact_id
        """;

    /// <summary>
    /// The heart: conversations whose version is the one read and whose messages are all new advance, with their contacts' summaries and their
    /// messages. Returns a row for each conversation that advanced (no platform id), and one for each message stored before.
    /// The conditions are written as hashed sub-plans, and the connection forbids scans of whole tables, so that a plan made
    /// while the tables were small stays right. Columns with indexes keep their values where they can (see the table), by the last two parameters:
    /// how far <c>last_message_at</c> may stay behind, and for each conversation whether it changes without a message.
    /// </summary>
    public const string Advance = """
        WITH arriving AS (
            SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::uuid[], $6::int[], $7::bigint[], $8::timestamptz[], $9::timestamptz[],
                    $10::timestamptz[], $11::uuid[], $12::boolean[], $13::timestamptz[], $14::text[], $15::int[], $36::boolean[], $38::date[])
                AS t (id, expected_version, status, managed_by, assigned_to, epoch, last_sequence, last_message_at, last_inbound_at,
                    ended_at, contact_id, ai_enabled, last_interaction_at, last_message_preview, unread_count, is_alone, counted_month)
        ), message AS (
            SELECT * FROM unnest($16::uuid[], $17::uuid[], $18::uuid[], $19::uuid[], $20::uuid[], $21::uuid[], $22::uuid[], $23::bigint[], $24::text[], $25::text[],
                    $26::text[], $27::text[], $28::text[], $29::text[], $30::jsonb[], $31::jsonb[], $32::text[], $33::text[], $34::timestamptz[], $35::timestamptz[], $39::boolean[])
                AS t (id, organization_id, conversation_id, channel_id, contact_id, turn_id, sender_id, sequence, direction, sender_type,
                    content_type, status, text_content, attachment_url, attachment_metadata, payload, platform_message_id, reply_to_platform_id, platform_timestamp, sent_at, is_read_by_agent)
        ), duplicate AS (
            SELECT m.conversation_id, m.platform_message_id
            FROM message m JOIN messages stored ON stored.channel_id = m.channel_id AND stored.platform_message_id = m.platform_message_id
        ), advanced AS (
            UPDATE conversations c
            SET version = c.version + 1, status = a.status, managed_by = a.managed_by, assigned_to = a.assigned_to, epoch = a.epoch,
                last_sequence = a.last_sequence, last_inbound_at = a.last_inbound_at, ended_at = a.ended_at, counted_month = a.counted_month,
                last_message_at = CASE WHEN c.last_message_at > a.last_message_at - $37 THEN c.last_message_at ELSE a.last_message_at END,
                updated_at = now(), changed_in = pg_current_xact_id(),
                changed_alone_in = CASE WHEN a.is_alone THEN pg_current_xact_id() ELSE c.changed_alone_in END
            FROM arriving a
            WHERE c.id = a.id AND c.version = a.expected_version
              AND (a.id IN (SELECT d.conversation_id FROM duplicate d)) IS NOT TRUE
            RETURNING c.id
        ), summarized AS (
            UPDATE contacts k
            SET ai_enabled = a.ai_enabled, last_interaction_at = a.last_interaction_at, last_message_preview = a.last_message_preview,
                unread_count = a.unread_count, updated_at = now()
            FROM arriving a
            WHERE k.id = a.contact_id AND (a.id IN (SELECT id FROM advanced)) IS TRUE
        ), stored AS (
            INSERT INTO messages (id, organization_id, conversation_id, channel_id, contact_id, turn_id, sender_id, sequence, direction, sender_type, content_type,
                status, text_content, attachment_url, attachment_metadata, payload, platform_message_id, reply_to_platform_id, platform_timestamp, sent_at, is_read_by_agent)
            SELECT * FROM message m WHERE (m.conversation_id IN (SELECT id FROM advanced)) IS TRUE
        )
        SELECT id, NULL::text FROM advanced
        UNION ALL
        SELECT conversation_id, platform_message_id FROM duplicate
        """;

    /// <summary>Turns of the conversations that advanced, inserted or overwritten.</summary>
    public const string Turns = """
        INSERT INTO turns (id, organization_id, conversation_id, agent_id, instance_id, state, attempt, epoch, first_sequence, last_sequence, due_at, started_at,
            finished_at, outcome, responder, provider, model, prompt_variant_id, prompt, passages, tool_calls, input_tokens, output_tokens, tokens_estimated, cost, timings, error, trace_id)
        SELECT t.* FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::int[], $8::int[], $9::bigint[], $10::bigint[], $11::timestamptz[], $12::timestamptz[],
            $13::timestamptz[], $14::text[], $15::text[], $16::text[], $17::text[], $18::uuid[], $19::jsonb[], $20::jsonb[], $21::jsonb[], $22::int[], $23::int[], $24::boolean[], $25::numeric[], $26::jsonb[], $27::text[], $28::text[])
            AS t (id, organization_id, conversation_id, agent_id, instance_id, state, attempt, epoch, first_sequence, last_sequence, due_at, started_at,
            finished_at, outcome, responder, provider, model, prompt_variant_id, prompt, passages, tool_calls, input_tokens, output_tokens, tokens_estimated, cost, timings, error, trace_id)
        JOIN conversations c ON c.id = t.conversation_id AND c.changed_in = pg_current_xact_id()
        ON CONFLICT (id) DO UPDATE SET
            instance_id = excluded.instance_id, state = excluded.state, attempt = excluded.attempt, last_sequence = excluded.last_sequence, due_at = excluded.due_at,
            started_at = excluded.started_at, finished_at = excluded.finished_at, outcome = excluded.outcome, responder = excluded.responder, provider = excluded.provider,
            model = excluded.model, prompt_variant_id = excluded.prompt_variant_id, prompt = excluded.prompt, passages = excluded.passages, tool_calls = excluded.tool_calls,
            input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens, tokens_estimated = excluded.tokens_estimated, cost = excluded.cost,
            timings = excluded.timings, error = excluded.error, trace_id = coalesce(excluded.trace_id, turns.trace_id), updated_at = now()
        """;

    /// <summary>
    /// Usage of the turns that ended in this batch: one row an organization and day, in an order that keeps two writers from blocking each other. The version check
    /// of the conversations lets each end of a turn through once, so it is counted once. It comes last: all conversations of an organization share the row.
    /// </summary>
    public const string Usage = """
        INSERT INTO usage_daily (organization_id, usage_date, agent_responses, tokens_consumed, interactions, errors, conversations, messages)
        SELECT u.organization_id, u.usage_date, sum(u.responses), sum(u.tokens), sum(u.interactions), sum(u.errors), sum(u.conversations), sum(u.messages)
        FROM unnest($1::uuid[], $2::uuid[], $3::date[], $4::int[], $5::bigint[], $6::int[], $7::int[], $8::int[], $9::int[])
            AS u (conversation_id, organization_id, usage_date, responses, tokens, interactions, errors, conversations, messages)
        JOIN conversations c ON c.id = u.conversation_id AND c.changed_in = pg_current_xact_id()
        GROUP BY 1, 2 ORDER BY 1, 2
        ON CONFLICT (organization_id, usage_date) DO UPDATE SET
            agent_responses = usage_daily.agent_responses + excluded.agent_responses, tokens_consumed = usage_daily.tokens_consumed + excluded.tokens_consumed,
            interactions = usage_daily.interactions + excluded.interactions, errors = usage_daily.errors + excluded.errors,
            conversations = usage_daily.conversations + excluded.conversations, messages = usage_daily.messages + excluded.messages, updated_at = now()
        """;

    /// <summary>
    /// Deliveries. A change finds its message by our id, else by the platform's, within the channel, whoever the message was for. A message only moves forward, or back to
    /// <c>pending</c>: after a try that the platform certainly refused, or a failure told later that passes. Of several changes of one message the furthest counts.
    /// What goes with an advance of its conversation is left alone where that was refused. A failure counts only for the try that it names: not for the next one, which may be under way. A platform's id that another message has already is left out.
    /// Returns the changes that moved a message, and the receipts that found none (or that are about a try whose id isn't known yet), which may have come too early.
    /// </summary>
    public const string Deliver = """
        WITH change AS (
            SELECT *, message_status_rank(status) AS rank
            FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[], $9::boolean[], $10::int[], $11::uuid[])
                WITH ORDINALITY AS t (organization_id, channel_id, id, platform_message_id, status, error_code, error, at, is_receipt, again_below, goes_with, index)
            WHERE goes_with IS NULL OR EXISTS (SELECT FROM conversations c WHERE c.id = goes_with AND c.changed_in = pg_current_xact_id())
        ), named AS (
            SELECT change.*, m.id AS message_id, m.status AS before, m.platform_message_id AS known_id
            FROM change LEFT JOIN LATERAL (
                SELECT m.id, m.status, m.platform_message_id FROM messages m
                WHERE m.id = change.id AND m.channel_id = change.channel_id AND m.organization_id = change.organization_id AND m.direction = 'outbound'
                UNION ALL
                SELECT m.id, m.status, m.platform_message_id FROM messages m
                WHERE m.channel_id = change.channel_id AND m.platform_message_id = change.platform_message_id AND m.organization_id = change.organization_id AND m.direction = 'outbound'
                LIMIT 1) m ON true
        ), ranked AS (
            SELECT *, row_number() OVER (PARTITION BY message_id ORDER BY rank DESC, index) AS place FROM named
        ), found AS (
            SELECT *, row_number() OVER (PARTITION BY channel_id, platform_message_id ORDER BY index) AS claim FROM ranked
            WHERE message_id IS NOT NULL AND place = 1
            ORDER BY message_id -- everybody locks messages in the same order
        ), moved AS (
            UPDATE messages m SET
                status = CASE
                    WHEN f.again_below > m.send_attempts AND NOT (m.sender_type = 'ai' AND EXISTS (
                        SELECT FROM turns t JOIN conversations c ON c.id = t.conversation_id WHERE t.id = m.turn_id AND c.epoch > t.epoch)) THEN 'pending'
                    ELSE f.status END,
                platform_message_id = CASE
                    WHEN f.platform_message_id IS NULL OR f.claim > 1 THEN m.platform_message_id
                    WHEN m.platform_message_id IS NOT NULL AND m.status NOT IN ('pending', 'sending') THEN m.platform_message_id
                    WHEN EXISTS (SELECT FROM messages o WHERE o.channel_id = m.channel_id AND o.platform_message_id = f.platform_message_id) THEN m.platform_message_id
                    ELSE f.platform_message_id END,
                error_code = f.error_code, error = f.error,
                send_attempts = m.send_attempts + (f.status = 'sending')::int,
                sent_at = CASE WHEN f.status = 'sent' THEN f.at ELSE m.sent_at END,
                delivered_at = CASE WHEN f.status IN ('delivered', 'read') THEN coalesce(m.delivered_at, f.at) ELSE m.delivered_at END,
                read_at = CASE WHEN f.status = 'read' THEN f.at ELSE m.read_at END,
                changed_in = pg_current_xact_id()
            FROM found f
            WHERE m.id = f.message_id AND (
                f.status = 'pending' AND m.status = 'sending'
                OR f.rank > message_status_rank(m.status) AND CASE
                    WHEN f.error_code = 'withdrawn' THEN m.status = 'pending' -- what is with the platform can't be taken back
                    WHEN f.is_receipt AND f.status = 'failed' THEN CASE m.status
                        WHEN 'sent' THEN coalesce(m.platform_message_id = f.platform_message_id, true)
                        WHEN 'sending' THEN m.send_attempts <= 1 AND m.platform_message_id IS DISTINCT FROM f.platform_message_id
                        ELSE false END
                    -- The try that this id names has failed; another one is to come, or under way.
                    WHEN f.status = 'sent' AND m.platform_message_id = f.platform_message_id THEN m.status <> 'pending' AND NOT (m.status = 'sending' AND f.is_receipt)
                    ELSE true END)
            RETURNING f.index, m.id, m.conversation_id, m.contact_id, f.before, m.status,
                CASE WHEN f.is_receipt AND (f.before IN ('pending', 'sending') OR f.status = 'failed') THEN (SELECT k.first_identity FROM contacts k WHERE k.id = m.contact_id) END,
                f.is_receipt AND f.status = 'failed' AND EXISTS (SELECT FROM channels h WHERE h.id = m.channel_id AND h.updated_at > m.sent_at)
        )
        SELECT * FROM moved
        UNION ALL
        SELECT index, NULL, NULL, NULL, NULL, NULL, NULL, false FROM named
        WHERE is_receipt AND (message_id IS NULL OR status = 'failed' AND before = 'sending' AND known_id IS DISTINCT FROM platform_message_id)
        """;

    /// <summary>Receipts that came before the sends that this batch records.</summary>
    public const string Early = $"""
        SELECT s.index, {EarlyReceipts.Columns}
        FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS s (channel_id, platform_message_id, index)
        JOIN early_receipts e ON e.channel_id = s.channel_id AND e.platform_message_id = s.platform_message_id
        """;

    /// <summary>
    /// What a platform newly told about known contacts, their further names and those that they gave up, and what people decided about them. News that came with messages hold
    /// only if their conversation advanced. A name or a number that people or a file set is not overwritten; where the number itself moved, the client's follows.
    /// </summary>
    public const string ContactNews = """
        WITH told AS (
            SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[], $8::boolean[], $9::boolean[], $10::boolean[])
                AS t (contact_id, name, username, phone, unreachable_reason, platform_user_id, is_muted, is_blocked, is_renamed, is_with_advance)
        ), news AS (
            SELECT told.* FROM told WHERE NOT told.is_with_advance OR EXISTS (SELECT FROM conversations c WHERE c.contact_id = told.contact_id AND c.changed_in = pg_current_xact_id())
        ), gone AS (
            DELETE FROM contact_identities i
            USING unnest($11::uuid[], $12::text[]) AS g (contact_id, identity) JOIN news n USING (contact_id) JOIN contacts k ON k.id = g.contact_id
            WHERE i.channel_id = k.channel_id AND i.identity = g.identity AND i.contact_id = g.contact_id
        ), former AS (
            INSERT INTO former_identities (contact_id, identity, channel_id, organization_id, given_up_at)
            SELECT k.id, g.identity, k.channel_id, k.organization_id, g.at
            FROM unnest($11::uuid[], $12::text[], $13::timestamptz[]) AS g (contact_id, identity, at) JOIN news USING (contact_id) JOIN contacts k ON k.id = g.contact_id
            ON CONFLICT (contact_id, identity) DO UPDATE SET given_up_at = excluded.given_up_at
        ), regained AS (
            DELETE FROM former_identities f USING unnest($14::uuid[], $15::text[]) AS i (contact_id, identity) JOIN news USING (contact_id)
            WHERE f.contact_id = i.contact_id AND f.identity = i.identity
        ), named AS (
            INSERT INTO contact_identities (channel_id, identity, contact_id, organization_id)
            SELECT k.channel_id, i.identity, k.id, k.organization_id
            FROM unnest($14::uuid[], $15::text[]) AS i (contact_id, identity) JOIN news USING (contact_id) JOIN contacts k ON k.id = i.contact_id
            ON CONFLICT (channel_id, identity) DO NOTHING
        ), reached AS (
            UPDATE clients l SET phone = n.phone, version = l.version + 1
            FROM news n JOIN contacts k ON k.id = n.contact_id
            WHERE n.is_renamed AND n.phone IS NOT NULL AND l.id = k.client_id AND l.phone = k.phone
              AND NOT EXISTS (SELECT FROM clients o WHERE o.organization_id = l.organization_id AND o.phone = n.phone)
        )
        UPDATE contacts k SET
            name = CASE WHEN n.name IS NOT NULL AND (k.name IS NULL OR k.name IS NOT DISTINCT FROM k.platform_name) THEN n.name ELSE k.name END,
            platform_name = coalesce(n.name, k.platform_name), username = coalesce(n.username, k.username),
            phone = CASE WHEN n.is_renamed OR k.phone IS NULL THEN coalesce(n.phone, k.phone) ELSE k.phone END,
            platform_user_id = coalesce(n.platform_user_id, k.platform_user_id),
            unreachable_reason = CASE WHEN n.unreachable_reason IS NULL THEN k.unreachable_reason ELSE nullif(n.unreachable_reason, '') END,
            muted_at = CASE n.is_muted WHEN true THEN coalesce(k.muted_at, now()) WHEN false THEN NULL ELSE k.muted_at END,
            blocked_at = CASE n.is_blocked WHEN true THEN coalesce(k.blocked_at, now()) WHEN false THEN NULL ELSE k.blocked_at END,
            version = k.version + 1, updated_at = now()
        FROM news n WHERE k.id = n.contact_id
        """;

    /// <summary>
    /// Stored messages whose content changed at the platform, of conversations that advanced. The latest of each message counts; what was deleted stays deleted. Returns the
    /// messages that were found and, of each conversation, what lists show of it now.
    /// </summary>
    public const string Amend = """
        WITH amendment AS (
            SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[], $8::jsonb[], $9::jsonb[], $10::timestamptz[])
                WITH ORDINALITY AS t (conversation_id, channel_id, platform_message_id, kind, text_content, attachment_url, attachment_metadata, payload, attachment, at, index)
        ), latest AS (
            SELECT DISTINCT ON (a.channel_id, a.platform_message_id) a.*,
                (SELECT jsonb_agg(p.attachment ORDER BY p.index) FROM amendment p WHERE p.channel_id = a.channel_id AND p.platform_message_id = a.platform_message_id AND p.kind = 'attach') AS parts,
                (SELECT min(p.text_content) FROM amendment p WHERE p.channel_id = a.channel_id AND p.platform_message_id = a.platform_message_id AND p.kind = 'attach') AS caption
            FROM amendment a JOIN conversations c ON c.id = a.conversation_id AND c.changed_in = pg_current_xact_id()
            ORDER BY a.channel_id, a.platform_message_id, (a.kind = 'delete') DESC, a.at DESC, a.index DESC
        ), amended AS (
            UPDATE messages m SET
                text_content = CASE l.kind WHEN 'delete' THEN NULL WHEN 'attach' THEN coalesce(nullif(m.text_content, ''), l.caption) ELSE l.text_content END,
                attachment_url = CASE l.kind WHEN 'delete' THEN NULL WHEN 'edit' THEN coalesce(l.attachment_url, m.attachment_url) ELSE m.attachment_url END,
                attachment_metadata = CASE l.kind WHEN 'delete' THEN NULL WHEN 'edit' THEN coalesce(l.attachment_metadata, m.attachment_metadata) ELSE m.attachment_metadata END,
                payload = CASE l.kind WHEN 'delete' THEN NULL WHEN 'update' THEN coalesce(l.payload, m.payload) ELSE m.payload END,
                attachments = CASE WHEN l.kind = 'delete' THEN NULL WHEN l.parts IS NULL THEN m.attachments
                    ELSE coalesce(m.attachments, jsonb_build_array(jsonb_build_object('platformMessageId', m.platform_message_id, 'contentType', m.content_type, 'url', m.attachment_url, 'metadata', m.attachment_metadata)))
                        || (SELECT coalesce(jsonb_agg(p.part ORDER BY p.place), '[]') FROM jsonb_array_elements(l.parts) WITH ORDINALITY AS p (part, place)
                            WHERE m.attachments IS NULL OR NOT m.attachments @> jsonb_build_array(jsonb_build_object('platformMessageId', p.part -> 'platformMessageId'))) END,
                edited_at = CASE WHEN l.kind = 'edit' THEN l.at ELSE m.edited_at END,
                deleted_at = CASE WHEN l.kind = 'delete' THEN l.at ELSE m.deleted_at END,
                changed_in = pg_current_xact_id()
            FROM latest l
            WHERE m.channel_id = l.channel_id AND m.platform_message_id = l.platform_message_id AND m.conversation_id = l.conversation_id AND m.deleted_at IS NULL
              AND (l.kind IN ('delete', 'attach') OR l.at >= coalesce(m.edited_at, '-infinity'))
            RETURNING m.id, m.conversation_id, m.platform_message_id, m.sequence, m.text_content, m.content_type, m.contact_id, m.deleted_at
        )
        SELECT a.conversation_id, a.platform_message_id FROM amended a
        """;

    /// <summary>What lists show of conversations of whose messages some were amended. Returns it.</summary>
    public const string Preview = """
        UPDATE contacts k SET last_message_preview = p.preview
        FROM (SELECT c.contact_id, c.id, message_preview(c.id) AS preview FROM unnest($1::uuid[]) AS u (id) JOIN conversations c ON c.id = u.id AND c.changed_in = pg_current_xact_id()) p
        WHERE k.id = p.contact_id
        RETURNING p.id, p.preview
        """;

    /// <summary>Marks inbound messages of conversations as read by a person.</summary>
    public const string MarkRead = """
        UPDATE messages m SET is_read_by_agent = true
        FROM unnest($1::uuid[]) AS r (conversation_id)
        WHERE m.conversation_id = r.conversation_id AND m.direction = 'inbound' AND NOT m.is_read_by_agent
        """;

    /// <summary>The audit log of the conversations that advanced.</summary>
    public const string Audit = """
        INSERT INTO activity_logs (id, organization_id, user_id, action_type, entity_type, entity_id, before, after, ip_address, user_agent, api_key_id)
        SELECT a.id, a.organization_id, a.user_id, a.action_type, 'conversation', a.conversation_id, a.before, a.after, a.ip_address::inet, a.user_agent, a.api_key_id
        FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::jsonb[], $7::jsonb[], $8::text[], $9::text[], $10::uuid[])
            AS a (id, organization_id, conversation_id, user_id, action_type, before, after, ip_address, user_agent, api_key_id)
        JOIN conversations c ON c.id = a.conversation_id AND c.changed_in = pg_current_xact_id()
        """;
}
