-- What another system calls a row is either said or not: an empty text, by which rows met, says nothing. Requests and files that have one give none.
UPDATE clients SET ecommerce_customer_id = NULL WHERE ecommerce_customer_id = '';
UPDATE products SET ecommerce_product_id = nullif(ecommerce_product_id, ''), sku = nullif(sku, '') WHERE '' IN (ecommerce_product_id, sku);
UPDATE orders SET ecommerce_order_id = nullif(ecommerce_order_id, ''), tracking_number = nullif(tracking_number, '') WHERE '' IN (ecommerce_order_id, tracking_number);
UPDATE deals SET external_id = NULL WHERE external_id = '';
