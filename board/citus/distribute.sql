-- Spreads the gateway's tables over the workers of a Citus cluster, each shop's rows together on one of them.
-- Run once on the coordinator, behind `execora-gateway migrate` and before the first device enrols:
--     psql -v ON_ERROR_STOP=1 -d execora -f board/citus/distribute.sql
-- The gateway then has one connection string, the coordinator's; every statement it makes while a device syncs names
-- one shop_id and runs on one worker. `meta` stays on the coordinator: it says which instance this is.
BEGIN;
CREATE EXTENSION IF NOT EXISTS citus;
SET citus.shard_count = 1024;
SELECT create_distributed_table('shop', 'shop_id');
SELECT create_distributed_table('enrol_code', 'shop_id', colocate_with => 'shop');
SELECT create_distributed_table('device', 'shop_id', colocate_with => 'shop');
SELECT create_distributed_table('certificate', 'shop_id', colocate_with => 'shop');
SELECT create_distributed_table('device_head', 'shop_id', colocate_with => 'shop');
SELECT create_distributed_table('past_epoch', 'shop_id', colocate_with => 'shop');
SELECT create_distributed_table('past_key', 'shop_id', colocate_with => 'shop');
SELECT create_distributed_table('batch', 'shop_id', colocate_with => 'shop');
SELECT create_distributed_table('shop_log', 'shop_id', colocate_with => 'shop');
SELECT create_distributed_table('log_place', 'shop_id', colocate_with => 'shop');
SELECT create_distributed_table('quarantine', 'shop_id', colocate_with => 'shop');
COMMIT;
