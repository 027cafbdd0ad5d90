-- A module of ten tables, with keys, foreign keys, checks and indexes.
SELECT publicdigit.register_module(jsonb_build_object(
    'name', 'bench_shop',
    'title', 'Ten tables',
    'version', '1.0.0',
    'context', 'tenant',
    'tables', (SELECT jsonb_object_agg(name, 'tenant')
               FROM unnest(ARRAY['customers', 'addresses', 'categories', 'products', 'prices',
                                 'orders', 'order_lines', 'payments', 'shipments', 'reviews']) AS name),
    'scripts', jsonb_build_object(
        'migrations/tenant/0001_create_customers.up.sql', $$
CREATE TABLE customers (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid,
    name text NOT NULL CHECK (name <> ''),
    email text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, email)
);
CREATE TABLE addresses (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid,
    customer_id uuid NOT NULL,
    street text NOT NULL,
    city text NOT NULL,
    country_code char(2),
    UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX addresses_customer_idx ON addresses (tenant_id, customer_id);
$$,
        'migrations/tenant/0002_create_catalogue.up.sql', $$
CREATE TABLE categories (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid,
    parent_id uuid,
    name text NOT NULL,
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, name),
    FOREIGN KEY (tenant_id, parent_id) REFERENCES categories (tenant_id, id)
);
CREATE TABLE products (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid,
    category_id uuid,
    sku text NOT NULL,
    name text NOT NULL,
    description text,
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, sku),
    FOREIGN KEY (tenant_id, category_id) REFERENCES categories (tenant_id, id)
);
CREATE INDEX products_category_idx ON products (tenant_id, category_id);
CREATE TABLE prices (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid,
    product_id uuid NOT NULL,
    amount numeric(12, 2) NOT NULL CHECK (amount >= 0),
    valid_from date NOT NULL,
    UNIQUE (tenant_id, product_id, valid_from),
    FOREIGN KEY (tenant_id, product_id) REFERENCES products (tenant_id, id) ON DELETE CASCADE
);
$$,
        'migrations/tenant/0003_create_orders.up.sql', $$
CREATE TABLE orders (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid,
    customer_id uuid NOT NULL,
    address_id uuid,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'paid', 'shipped', 'cancelled')),
    ordered_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id),
    FOREIGN KEY (tenant_id, address_id) REFERENCES addresses (tenant_id, id)
);
CREATE INDEX orders_customer_idx ON orders (tenant_id, customer_id);
CREATE INDEX orders_ordered_at_idx ON orders (tenant_id, ordered_at);
CREATE TABLE order_lines (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid,
    order_id uuid NOT NULL,
    product_id uuid NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, product_id) REFERENCES products (tenant_id, id)
);
CREATE INDEX order_lines_order_idx ON order_lines (tenant_id, order_id);
CREATE INDEX order_lines_product_idx ON order_lines (tenant_id, product_id);
$$,
        'migrations/tenant/0004_create_payments.up.sql', $$
CREATE TABLE payments (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid,
    order_id uuid NOT NULL,
    amount numeric(12, 2) NOT NULL,
    paid_at timestamptz,
    FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id)
);
CREATE INDEX payments_order_idx ON payments (tenant_id, order_id);
CREATE TABLE shipments (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid,
    order_id uuid NOT NULL,
    address_id uuid NOT NULL,
    shipped_at timestamptz,
    FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id),
    FOREIGN KEY (tenant_id, address_id) REFERENCES addresses (tenant_id, id)
);
CREATE INDEX shipments_order_idx ON shipments (tenant_id, order_id);
CREATE TABLE reviews (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid,
    product_id uuid NOT NULL,
    customer_id uuid,
    stars smallint NOT NULL CHECK (stars BETWEEN 1 AND 5),
    body text,
    FOREIGN KEY (tenant_id, product_id) REFERENCES products (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id) ON DELETE SET NULL (customer_id)
);
CREATE INDEX reviews_product_idx ON reviews (tenant_id, product_id);
$$)));

-- What the plain side's script is made from.
SELECT publicdigit.create_tenant('shop-0');
SELECT publicdigit.install_module('bench_shop', 'shop-0');
