-- What lists of the CRM are sorted by, for organizations with very many deals, orders and calls.
CREATE INDEX deals_by_value ON deals (organization_id, deal_value DESC, id DESC);
CREATE INDEX deals_by_name ON deals (organization_id, name, id);
CREATE INDEX deals_by_stage_changed_at ON deals (organization_id, stage_changed_at DESC, id DESC);
CREATE INDEX orders_by_total ON orders (organization_id, total DESC, id DESC);
CREATE INDEX call_recordings_by_started_at ON call_recordings (organization_id, started_at DESC, id DESC);
