-- Amounts have the decimal places of their currency: none in yen, three in Jordanian dinars.

-- Decimal places of a currency (ISO 4217, minor unit); two where it says nothing else.
CREATE FUNCTION currency_digits(currency text) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 0
        WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 3
        ELSE 2 END
$$;
CREATE FUNCTION fits_currency(amount numeric, currency text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT amount = trunc(amount, public.currency_digits(currency)) $$;
GRANT EXECUTE ON FUNCTION currency_digits(text), fits_currency(numeric, text) TO agentplatform_engine, agentplatform_api;

-- The reports name the columns whose type changes; the next migration makes them anew.
DROP VIEW organization_deal_metrics, organization_client_metrics, organization_revenue_metrics, organization_chatbot_effectiveness, organization_channel_performance;
DROP MATERIALIZED VIEW analytics_deal_metrics, analytics_client_metrics, analytics_revenue_metrics, analytics_chatbot_effectiveness, analytics_channel_performance;

-- Triggers that name a column stand in the way of its new type.
DROP TRIGGER keep_client_revenue ON clients;
DROP TRIGGER keep_new_client_revenue ON clients;
DROP TRIGGER keep_adjustment ON subscriptions;
ALTER TABLE orders DROP CONSTRAINT order_subtotal_is_that_of_its_items;
DROP FUNCTION order_subtotal(jsonb);

-- Sums have room for many of the largest amounts.
ALTER TABLE clients ALTER COLUMN total_revenue TYPE numeric(22, 3), ALTER COLUMN average_order_value TYPE numeric(16, 3);
ALTER TABLE deals ALTER COLUMN deal_value TYPE numeric(13, 3);
ALTER TABLE products ALTER COLUMN price TYPE numeric(13, 3), ALTER COLUMN cost TYPE numeric(13, 3);
ALTER TABLE tours ALTER COLUMN price TYPE numeric(13, 3);
ALTER TABLE orders ALTER COLUMN subtotal TYPE numeric(13, 3), ALTER COLUMN tax TYPE numeric(13, 3), ALTER COLUMN shipping TYPE numeric(13, 3), ALTER COLUMN discount TYPE numeric(13, 3), ALTER COLUMN total TYPE numeric(14, 3);
ALTER TABLE pricing_plans ALTER COLUMN price_monthly TYPE numeric(13, 3), ALTER COLUMN price_yearly TYPE numeric(13, 3);
ALTER TABLE subscriptions ALTER COLUMN adjustment TYPE numeric(16, 3);
ALTER TABLE billing_invoices ALTER COLUMN amount TYPE numeric(16, 3), ALTER COLUMN adjustment TYPE numeric(16, 3);
-- A turn's cost is tokens times a price that anybody may set: it must not be what keeps an answer from being stored.
ALTER TABLE turns ALTER COLUMN cost TYPE numeric(24, 6);

CREATE TRIGGER keep_client_revenue BEFORE UPDATE OF total_orders, total_revenue, average_order_value ON clients
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION keep_client_revenue();
CREATE TRIGGER keep_new_client_revenue BEFORE INSERT ON clients
    FOR EACH ROW WHEN (NEW.total_orders <> 0 OR NEW.total_revenue <> 0 OR NEW.average_order_value <> 0) EXECUTE FUNCTION keep_client_revenue();
CREATE TRIGGER keep_adjustment BEFORE INSERT OR UPDATE OF adjustment ON subscriptions FOR EACH ROW EXECUTE FUNCTION keep_adjustment();

-- Each line's price is rounded as its currency is paid; the price of one piece may be finer.
CREATE FUNCTION order_subtotal(items jsonb, currency text) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = '' AS $$
    SELECT coalesce(sum(round((item ->> 'quantity')::numeric * (item ->> 'unitPrice')::numeric, public.currency_digits(currency))), 0) FROM jsonb_array_elements(items) item
$$;
GRANT EXECUTE ON FUNCTION order_subtotal(jsonb, text) TO agentplatform_engine, agentplatform_api;

CREATE OR REPLACE FUNCTION settle_order() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF NEW.items IS NOT NULL AND public.order_items_are_priced(NEW.items) THEN
        NEW.subtotal := public.order_subtotal(NEW.items, NEW.currency);
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

-- As before, with an average as fine as the finest currency.
CREATE OR REPLACE FUNCTION update_client_revenue() RETURNS trigger
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
        FROM (SELECT count(*) AS orders, coalesce(sum(total), 0) AS revenue, coalesce(round(avg(total), 3), 0) AS average
              FROM public.orders WHERE client_id = changed AND status NOT IN ('cancelled', 'refunded')) o
        WHERE c.id = changed AND (c.total_orders, c.total_revenue, c.average_order_value) IS DISTINCT FROM (o.orders, o.revenue, o.average);
    END LOOP;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION prorate_plan_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    days_left integer := (new.current_period_end AT TIME ZONE 'UTC')::date - greatest((pg_catalog.now() AT TIME ZONE 'UTC')::date, (new.current_period_start AT TIME ZONE 'UTC')::date);
    days integer := (new.current_period_end AT TIME ZONE 'UTC')::date - (new.current_period_start AT TIME ZONE 'UTC')::date;
BEGIN
    new.adjustment := old.adjustment + coalesce((
        SELECT pg_catalog.round(
            CASE old.billing_interval WHEN 'yearly' THEN n.price_yearly - o.price_yearly ELSE n.price_monthly - o.price_monthly END * greatest(days_left, 0) / days, public.currency_digits(n.currency))
        FROM public.pricing_plans o JOIN public.pricing_plans n ON n.id = new.plan_id AND n.currency = o.currency WHERE o.id = old.plan_id), 0);
    RETURN new;
END $$;

-- What is there and too fine is rounded, with the total that follows from it.
ALTER TABLE orders DISABLE TRIGGER USER;
UPDATE orders SET
    subtotal = CASE WHEN items IS NULL THEN round(subtotal, currency_digits(currency)) ELSE order_subtotal(items, currency) END,
    tax = round(tax, currency_digits(currency)), shipping = round(shipping, currency_digits(currency)), discount = round(discount, currency_digits(currency)),
    total = greatest(0, CASE WHEN items IS NULL THEN round(subtotal, currency_digits(currency)) ELSE order_subtotal(items, currency) END
        + round(tax, currency_digits(currency)) + round(shipping, currency_digits(currency)) - round(discount, currency_digits(currency)))
WHERE currency_digits(currency) < 2 OR items IS NOT NULL AND subtotal <> order_subtotal(items, currency);
ALTER TABLE orders ENABLE TRIGGER USER;
UPDATE deals SET deal_value = round(deal_value, 0) WHERE currency_digits(currency) = 0 AND NOT fits_currency(deal_value, currency);
UPDATE products SET price = round(price, 0), cost = round(cost, 0) WHERE currency_digits(currency) = 0 AND NOT (fits_currency(price, currency) AND coalesce(fits_currency(cost, currency), true));
UPDATE tours SET price = round(price, 0) WHERE currency_digits(currency) = 0 AND NOT fits_currency(price, currency);
UPDATE pricing_plans SET price_monthly = round(price_monthly, 0), price_yearly = round(price_yearly, 0)
WHERE currency_digits(currency) = 0 AND NOT (fits_currency(price_monthly, currency) AND fits_currency(price_yearly, currency));

ALTER TABLE orders
    ADD CONSTRAINT order_subtotal_is_that_of_its_items CHECK (items IS NULL OR subtotal = order_subtotal(items, currency)),
    ADD CONSTRAINT subtotal_fits_its_currency CHECK (fits_currency(subtotal, currency)),
    ADD CONSTRAINT tax_fits_its_currency CHECK (fits_currency(tax, currency)),
    ADD CONSTRAINT shipping_fits_its_currency CHECK (fits_currency(shipping, currency)),
    ADD CONSTRAINT discount_fits_its_currency CHECK (fits_currency(discount, currency));
ALTER TABLE deals ADD CONSTRAINT deal_value_fits_its_currency CHECK (fits_currency(deal_value, currency));
ALTER TABLE products
    ADD CONSTRAINT price_fits_its_currency CHECK (fits_currency(price, currency)),
    ADD CONSTRAINT cost_fits_its_currency CHECK (fits_currency(cost, currency));
ALTER TABLE tours ADD CONSTRAINT price_fits_its_currency CHECK (fits_currency(price, currency));
ALTER TABLE pricing_plans
    ADD CONSTRAINT price_monthly_fits_its_currency CHECK (fits_currency(price_monthly, currency)),
    ADD CONSTRAINT price_yearly_fits_its_currency CHECK (fits_currency(price_yearly, currency));
