-- What is sold: product templates, dated tours, and what clients want of them.

CREATE TABLE products (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    partner_id uuid REFERENCES partners (id) ON DELETE SET NULL,
    name text NOT NULL,
    description text,
    type text NOT NULL DEFAULT 'service' CONSTRAINT product_type_is_known CHECK (type IN ('tour', 'service', 'package')),
    sku text,
    category text,
    duration integer CONSTRAINT duration_is_positive CHECK (duration > 0), -- days
    price numeric(12, 2) NOT NULL DEFAULT 0 CONSTRAINT price_is_not_negative CHECK (price >= 0),
    cost numeric(12, 2),
    currency text NOT NULL DEFAULT 'USD',
    inclusions jsonb,
    exclusions jsonb,
    options jsonb,
    ecommerce_product_id text,
    is_active boolean NOT NULL DEFAULT true,
    custom_fields jsonb NOT NULL DEFAULT '{}'::jsonb,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX products_by_organization ON products (organization_id, is_active);
CREATE UNIQUE INDEX products_one_per_ecommerce_product ON products (organization_id, ecommerce_product_id) WHERE ecommerce_product_id IS NOT NULL;

CREATE TABLE tours (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    product_id uuid NOT NULL REFERENCES products (id) ON DELETE CASCADE,
    start_date timestamptz NOT NULL,
    end_date timestamptz NOT NULL,
    max_participants integer CONSTRAINT max_participants_is_positive CHECK (max_participants > 0),
    current_participants integer NOT NULL DEFAULT 0 CONSTRAINT participants_is_not_negative CHECK (current_participants >= 0),
    price numeric(12, 2),
    currency text NOT NULL DEFAULT 'USD',
    status text NOT NULL DEFAULT 'available' CONSTRAINT tour_status_is_known CHECK (status IN ('available', 'full', 'cancelled', 'completed')),
    notes text,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tour_ends_after_it_starts CHECK (end_date >= start_date),
    CONSTRAINT tour_is_not_overbooked CHECK (max_participants IS NULL OR current_participants <= max_participants)
);
CREATE INDEX tours_by_product ON tours (organization_id, product_id);
CREATE INDEX tours_by_start_date ON tours (organization_id, start_date);
CREATE INDEX tours_by_status ON tours (organization_id, status);

CREATE TABLE client_products (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    client_id uuid NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    product_id uuid NOT NULL REFERENCES products (id) ON DELETE CASCADE,
    status text NOT NULL DEFAULT 'interested' CONSTRAINT client_product_status_is_known CHECK (status IN ('interested', 'proposed', 'selected', 'booked')),
    notes text,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT one_interest_per_client_and_product UNIQUE (client_id, product_id)
);
CREATE INDEX client_products_by_product ON client_products (product_id);
CREATE INDEX client_products_by_organization ON client_products (organization_id);

CREATE TABLE client_tours (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    client_id uuid NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    tour_id uuid NOT NULL REFERENCES tours (id) ON DELETE CASCADE,
    status text NOT NULL DEFAULT 'interested'
        CONSTRAINT client_tour_status_is_known CHECK (status IN ('interested', 'proposed', 'selected', 'booked', 'confirmed', 'cancelled')),
    participants integer CONSTRAINT booking_participants_is_positive CHECK (participants > 0),
    notes text,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT one_booking_per_client_and_tour UNIQUE (client_id, tour_id)
);
CREATE INDEX client_tours_by_tour ON client_tours (tour_id);
CREATE INDEX client_tours_by_organization ON client_tours (organization_id);

SELECT enable_tenant_isolation(t) FROM unnest(ARRAY['products', 'tours', 'client_products', 'client_tours']::regclass[]) t;

CREATE TRIGGER set_updated_at BEFORE UPDATE ON products FOR EACH ROW EXECUTE FUNCTION update_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON tours FOR EACH ROW EXECUTE FUNCTION update_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON client_products FOR EACH ROW EXECUTE FUNCTION update_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON client_tours FOR EACH ROW EXECUTE FUNCTION update_updated_at();
