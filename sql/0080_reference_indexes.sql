-- A row that is deleted looks for the rows that refer to it: in each table that does so, by the column alone, whoever's they are. Without an index that
-- begins with the column that reads the whole table. Columns that are mostly empty have their few values in a partial index.

CREATE INDEX activities_created_by ON activities (created_by) WHERE created_by IS NOT NULL;
CREATE INDEX activity_logs_of_agent ON activity_logs (agent_id) WHERE agent_id IS NOT NULL;
CREATE INDEX activity_logs_of_user ON activity_logs (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX agents_with_fallback_model ON agents (fallback_model_id) WHERE fallback_model_id IS NOT NULL;
CREATE INDEX agents_with_model ON agents (llm_model_id) WHERE llm_model_id IS NOT NULL;
CREATE INDEX agents_with_persona ON agents (persona_id) WHERE persona_id IS NOT NULL;
CREATE INDEX billing_invoices_of_plan ON billing_invoices (plan_id) WHERE plan_id IS NOT NULL;
CREATE INDEX call_recordings_of_agent ON call_recordings (agent_id) WHERE agent_id IS NOT NULL;
CREATE INDEX client_status_history_of_client ON client_status_history (client_id);
CREATE INDEX clients_with_prompt_variant ON clients (prompt_variant_id) WHERE prompt_variant_id IS NOT NULL;
CREATE INDEX deal_stage_history_changed_by ON deal_stage_history (changed_by) WHERE changed_by IS NOT NULL;
CREATE INDEX files_of_user ON files (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX invitations_accepted_by ON invitations (accepted_by) WHERE accepted_by IS NOT NULL;
CREATE INDEX knowledge_articles_of_agent ON knowledge_articles (agent_id) WHERE agent_id IS NOT NULL;
CREATE INDEX knowledge_categories_of_parent ON knowledge_categories (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX notes_created_by ON notes (created_by) WHERE created_by IS NOT NULL;
CREATE INDEX organization_members_invited_by ON organization_members (invited_by) WHERE invited_by IS NOT NULL;
CREATE INDEX tours_of_product ON tours (product_id);
CREATE INDEX turns_of_agent ON turns (agent_id) WHERE agent_id IS NOT NULL;
CREATE INDEX turns_with_prompt_variant ON turns (prompt_variant_id) WHERE prompt_variant_id IS NOT NULL;
CREATE INDEX user_sessions_of_user ON user_sessions (user_id);
CREATE INDEX workflow_executions_of_workflow ON workflow_executions (workflow_id);
