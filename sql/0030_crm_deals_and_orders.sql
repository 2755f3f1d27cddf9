-- What is being sold and what was bought: deals with the history of their stages, orders with totals that add up, and what clients have brought in.
-- Rules that a row alone can't state are triggers; what they refuse is a check violation that carries the rule's name and a sentence for people.

-- AFTER triggers use it: by then row security has had its say, so that a refusal tells nothing about another organization.
CREATE FUNCTION refuse_change(rule text, message text) RETURNS void
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = rule, MESSAGE = message;
END $$;

-- Who makes the change that this transaction makes, and why; histories keep both. A transaction that names nobody is the system's.
CREATE FUNCTION change_actor() RETURNS text
    LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN current_setting('app.change_actor', true) IN ('ai', 'human', 'system') THEN current_setting('app.change_actor', true)
        WHEN public.current_user_id() IS NOT NULL THEN 'human'
        ELSE 'system'
    END
$$;
CREATE FUNCTION change_reason() RETURNS text
    LANGUAGE sql STABLE AS $$ SELECT nullif(current_setting('app.change_reason', true), '') $$;

CREATE TABLE deals (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    client_id uuid NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    name text NOT NULL CONSTRAINT deal_name_is_not_blank CHECK (btrim(name) <> ''),
    description text,
    deal_value numeric(12, 2) NOT NULL DEFAULT 0 CONSTRAINT deal_value_is_not_negative CHECK (deal_value >= 0),
    currency text NOT NULL DEFAULT 'USD',
    stage text NOT NULL DEFAULT 'prospecting' CONSTRAINT deal_stage_is_known
        CHECK (stage IN ('prospecting', 'qualification', 'proposal', 'negotiation', 'closed_won', 'closed_lost')),
    -- follows the stage unless it is given with it
    probability integer NOT NULL CONSTRAINT deal_probability_is_between_0_and_100 CHECK (probability BETWEEN 0 AND 100),
    expected_close_date date,
    actual_close_date date,
    products jsonb CONSTRAINT deal_products_are_a_list CHECK (jsonb_typeof(products) = 'array'),
    owner_id uuid REFERENCES users (id) ON DELETE SET NULL,
    lost_reason text,
    lost_reason_details text,
    won_reason text,
    competitor text,
    tags text[] NOT NULL DEFAULT '{}',
    custom_fields jsonb NOT NULL DEFAULT '{}'::jsonb,
    stage_changed_at timestamptz NOT NULL DEFAULT now(),
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT won_deal_has_a_reason CHECK (stage <> 'closed_won' OR btrim(coalesce(won_reason, '')) <> ''),
    CONSTRAINT lost_deal_has_a_reason CHECK (stage <> 'closed_lost' OR btrim(coalesce(lost_reason, '')) <> ''),
    CONSTRAINT closed_deal_has_its_date CHECK ((stage IN ('closed_won', 'closed_lost')) = (actual_close_date IS NOT NULL)),
    CONSTRAINT closed_deal_is_certain CHECK (CASE stage WHEN 'closed_won' THEN probability = 100 WHEN 'closed_lost' THEN probability = 0 ELSE true END)
);
CREATE INDEX deals_by_organization ON deals (organization_id, created_at DESC, id DESC);
CREATE INDEX deals_by_client ON deals (client_id);
CREATE INDEX deals_by_stage ON deals (organization_id, stage);
CREATE INDEX deals_by_owner ON deals (owner_id) WHERE owner_id IS NOT NULL;
CREATE INDEX deals_by_close_date ON deals (organization_id, expected_close_date, id);
CREATE INDEX deals_by_actual_close_date ON deals (organization_id, actual_close_date) WHERE actual_close_date IS NOT NULL; -- the win rate

CREATE TABLE deal_stage_history (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    deal_id uuid NOT NULL REFERENCES deals (id) ON DELETE CASCADE,
    from_stage text, -- NULL: the deal began here
    to_stage text NOT NULL,
    changed_by uuid REFERENCES users (id) ON DELETE SET NULL,
    notes text,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX deal_stage_history_by_deal ON deal_stage_history (deal_id, created_at DESC);
CREATE INDEX deal_stage_history_by_organization ON deal_stage_history (organization_id, created_at DESC, id DESC);

-- How likely a deal of a stage is to be won, where nobody says otherwise.
CREATE FUNCTION deal_stage_probability(stage text) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = '' AS $$
    SELECT CASE stage WHEN 'prospecting' THEN 10 WHEN 'qualification' THEN 25 WHEN 'proposal' THEN 50 WHEN 'negotiation' THEN 75
        WHEN 'closed_won' THEN 100 ELSE 0 END
$$;

-- The day that it is where the organization is.
CREATE FUNCTION organization_today(organization uuid) RETURNS date
    LANGUAGE sql STABLE SET search_path = '' AS $$
    SELECT (now() AT TIME ZONE coalesce((SELECT o.time_zone FROM public.organizations o WHERE o.id = organization), 'UTC'))::date
$$;

-- An open deal may go to any stage. A closed one goes back to an open stage first: that forgets why and when it was closed.
CREATE FUNCTION settle_deal_stage() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    closes boolean := NEW.stage IN ('closed_won', 'closed_lost');
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.probability := CASE WHEN closes OR NEW.probability IS NULL THEN public.deal_stage_probability(NEW.stage) ELSE NEW.probability END;
    ELSIF NEW.stage <> OLD.stage THEN
        IF OLD.stage IN ('closed_won', 'closed_lost') THEN
            IF closes THEN
                PERFORM public.refuse_change('closed_deal_is_reopened_first', format('A deal that is %s goes back to an open stage before it becomes %s.', OLD.stage, NEW.stage));
            END IF;
            NEW.won_reason := NULL;
            NEW.lost_reason := NULL;
            NEW.lost_reason_details := NULL;
        END IF;
        NEW.stage_changed_at := now();
        IF closes OR NEW.probability = OLD.probability THEN
            NEW.probability := public.deal_stage_probability(NEW.stage);
        END IF;
    END IF;
    IF closes THEN
        NEW.actual_close_date := coalesce(NEW.actual_close_date, public.organization_today(NEW.organization_id));
    ELSE
        NEW.actual_close_date := NULL;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER settle_deal_stage BEFORE INSERT OR UPDATE ON deals FOR EACH ROW EXECUTE FUNCTION settle_deal_stage();

CREATE FUNCTION track_deal_stage_change() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    INSERT INTO public.deal_stage_history (organization_id, deal_id, from_stage, to_stage, changed_by, notes)
    VALUES (NEW.organization_id, NEW.id, CASE WHEN TG_OP = 'UPDATE' THEN OLD.stage END, NEW.stage, public.current_user_id(), public.change_reason());
    RETURN NULL;
END $$;
CREATE TRIGGER track_deal_stage_begin AFTER INSERT ON deals FOR EACH ROW EXECUTE FUNCTION track_deal_stage_change();
CREATE TRIGGER track_deal_stage_change AFTER UPDATE OF stage ON deals
    FOR EACH ROW WHEN (OLD.stage IS DISTINCT FROM NEW.stage) EXECUTE FUNCTION track_deal_stage_change();

-- A list of objects, each with a quantity above zero and a price of one.
CREATE FUNCTION order_items_are_priced(items jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = '' AS $$
    SELECT CASE WHEN jsonb_typeof(items) <> 'array' THEN false ELSE NOT EXISTS (
        SELECT FROM jsonb_array_elements(items) item
        WHERE NOT coalesce(CASE WHEN jsonb_typeof(item -> 'quantity') = 'number' AND jsonb_typeof(item -> 'unitPrice') = 'number'
            THEN (item ->> 'quantity')::numeric > 0 AND (item ->> 'unitPrice')::numeric >= 0 END, false)) END
$$;
CREATE FUNCTION order_subtotal(items jsonb) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = '' AS $$
    SELECT coalesce(sum(round((item ->> 'quantity')::numeric * (item ->> 'unitPrice')::numeric, 2)), 0) FROM jsonb_array_elements(items) item
$$;

CREATE TABLE orders (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    client_id uuid NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    deal_id uuid REFERENCES deals (id) ON DELETE SET NULL,
    order_number text NOT NULL CONSTRAINT order_number_is_not_blank CHECK (btrim(order_number) <> ''),
    ecommerce_order_id text,
    items jsonb CONSTRAINT order_items_have_quantity_and_price CHECK (order_items_are_priced(items)),
    subtotal numeric(12, 2) NOT NULL DEFAULT 0 CONSTRAINT order_subtotal_is_not_negative CHECK (subtotal >= 0),
    tax numeric(12, 2) NOT NULL DEFAULT 0 CONSTRAINT order_tax_is_not_negative CHECK (tax >= 0),
    shipping numeric(12, 2) NOT NULL DEFAULT 0 CONSTRAINT order_shipping_is_not_negative CHECK (shipping >= 0),
    discount numeric(12, 2) NOT NULL DEFAULT 0 CONSTRAINT order_discount_is_not_negative CHECK (discount >= 0),
    total numeric(12, 2) NOT NULL DEFAULT 0 CONSTRAINT order_discount_is_not_above_the_price CHECK (total >= 0),
    currency text NOT NULL DEFAULT 'USD',
    status text NOT NULL DEFAULT 'pending' CONSTRAINT order_status_is_known
        CHECK (status IN ('pending', 'processing', 'shipped', 'delivered', 'cancelled', 'refunded')),
    shipping_address jsonb,
    tracking_number text,
    order_date timestamptz NOT NULL DEFAULT now(),
    shipped_date timestamptz,
    delivered_date timestamptz,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT one_order_per_number UNIQUE (organization_id, order_number),
    CONSTRAINT order_subtotal_is_that_of_its_items CHECK (items IS NULL OR subtotal = order_subtotal(items)),
    CONSTRAINT order_total_adds_up CHECK (total = subtotal + tax + shipping - discount)
);
CREATE INDEX orders_by_organization ON orders (organization_id, created_at DESC, id DESC);
CREATE INDEX orders_by_client ON orders (client_id);
CREATE INDEX orders_by_deal ON orders (deal_id) WHERE deal_id IS NOT NULL;
CREATE INDEX orders_by_status ON orders (organization_id, status);
CREATE INDEX orders_by_date ON orders (organization_id, order_date DESC, id DESC);
CREATE UNIQUE INDEX orders_one_per_ecommerce_order ON orders (organization_id, ecommerce_order_id) WHERE ecommerce_order_id IS NOT NULL;

-- Whether an order of one status may take another: forward, cancelled before it is shipped, refunded once it is being worked on.
CREATE FUNCTION order_may_become(old_status text, new_status text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = '' AS $$
    SELECT new_status = ANY (CASE old_status
        WHEN 'pending' THEN ARRAY['processing', 'shipped', 'delivered', 'cancelled']
        WHEN 'processing' THEN ARRAY['shipped', 'delivered', 'cancelled', 'refunded']
        WHEN 'shipped' THEN ARRAY['delivered', 'refunded']
        WHEN 'delivered' THEN ARRAY['refunded']
        WHEN 'cancelled' THEN ARRAY['refunded']
        ELSE ARRAY[]::text[] END)
$$;

-- The sums follow from the parts, the dates from the status.
CREATE FUNCTION settle_order() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF NEW.items IS NOT NULL AND public.order_items_are_priced(NEW.items) THEN
        NEW.subtotal := public.order_subtotal(NEW.items);
    END IF;
    NEW.total := NEW.subtotal + NEW.tax + NEW.shipping - NEW.discount;
    IF TG_OP = 'UPDATE' AND NEW.status <> OLD.status AND NOT public.order_may_become(OLD.status, NEW.status) THEN
        PERFORM public.refuse_change('order_status_moves_forward', format('An order that is %s can''t become %s.', OLD.status, NEW.status));
    END IF;
    IF NEW.status = 'delivered' THEN
        NEW.delivered_date := coalesce(NEW.delivered_date, now());
        NEW.shipped_date := coalesce(NEW.shipped_date, NEW.delivered_date);
    ELSIF NEW.status = 'shipped' THEN
        NEW.shipped_date := coalesce(NEW.shipped_date, now());
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER settle_order BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION settle_order();

-- Clients in the order of their ids, each locked before its orders are counted: of two orders at the same moment, the second counts the first.
CREATE FUNCTION update_client_revenue() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    changed uuid;
BEGIN
    -- Not a trigger OF these columns: the total changes without being named.
    IF TG_OP = 'UPDATE' AND (OLD.client_id, OLD.total, OLD.status) = (NEW.client_id, NEW.total, NEW.status) THEN
        RETURN NULL;
    END IF;
    FOR changed IN
        SELECT c.id FROM public.clients c
        WHERE c.id IN (CASE WHEN TG_OP <> 'INSERT' THEN OLD.client_id END, CASE WHEN TG_OP <> 'DELETE' THEN NEW.client_id END)
            AND c.organization_id = CASE WHEN TG_OP = 'DELETE' THEN OLD.organization_id ELSE NEW.organization_id END
        ORDER BY c.id FOR NO KEY UPDATE
    LOOP
        UPDATE public.clients c SET total_orders = o.orders, total_revenue = o.revenue, average_order_value = o.average
        FROM (SELECT count(*) AS orders, coalesce(sum(total), 0) AS revenue, coalesce(round(avg(total), 2), 0) AS average
              FROM public.orders WHERE client_id = changed AND status NOT IN ('cancelled', 'refunded')) o
        WHERE c.id = changed AND (c.total_orders, c.total_revenue, c.average_order_value) IS DISTINCT FROM (o.orders, o.revenue, o.average);
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER update_client_revenue AFTER INSERT OR UPDATE OR DELETE ON orders FOR EACH ROW EXECUTE FUNCTION update_client_revenue();

-- Whatever names a deal and a client names the client's own deal.
CREATE FUNCTION check_deal_of_client() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF NEW.deal_id IS NOT NULL AND NEW.client_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM public.deals d WHERE d.id = NEW.deal_id AND d.client_id = NEW.client_id AND d.organization_id = NEW.organization_id) THEN
        PERFORM public.refuse_change('deal_belongs_to_the_client', 'The deal is another client''s.');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER check_deal_of_client AFTER INSERT OR UPDATE OF deal_id, client_id ON orders FOR EACH ROW EXECUTE FUNCTION check_deal_of_client();

SELECT enable_tenant_isolation(t) FROM unnest(ARRAY['deals', 'deal_stage_history', 'orders']::regclass[]) t;
-- The history writes itself.
REVOKE INSERT, UPDATE, DELETE ON deal_stage_history FROM agentplatform_api;

CREATE TRIGGER set_updated_at BEFORE UPDATE ON deals FOR EACH ROW EXECUTE FUNCTION update_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION update_updated_at();
