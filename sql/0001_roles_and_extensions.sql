-- What every later migration stands on: extensions, who may do what in the schema, and the functions that tenant tables share.
-- The roles are cluster-wide and have passwords, and extensions need more rights than the schema's owner has: the migration runner makes
-- both before it comes here. It runs all migrations as agentplatform_migrator, the owner of all that they make.

create extension if not exists vector;
create extension if not exists pgcrypto;
create extension if not exists "uuid-ossp";
create extension if not exists pg_trgm;
create extension if not exists unaccent;

revoke create on schema public from public;
grant usage on schema public to agentplatform_engine, agentplatform_api;

-- The silo reads and writes everything that migrations make; the API only what enable_tenant_isolation or a migration grants it.
alter default privileges in schema public grant select, insert, update, delete on tables to agentplatform_engine;
alter default privileges in schema public grant usage, select on sequences to agentplatform_engine;

-- Keeps updated_at true, whoever writes.
create function public.update_updated_at() returns trigger
    language plpgsql
    set search_path = ''
as $$
begin
    new.updated_at := pg_catalog.now();
    return new;
end
$$;

-- The organization of this transaction; null where none is set, so that a comparison with it shows nothing.
-- No SET clause, so that the planner can inline it; every name is qualified instead.
create function public.current_organization_id() returns uuid
    language sql
    stable
    parallel safe
as $$ select nullif(pg_catalog.current_setting('app.current_organization_id', true), '')::pg_catalog.uuid $$;

-- The person (or null) and that person's role in this transaction, for policies that look at them.
create function public.current_user_id() returns uuid
    language sql
    stable
    parallel safe
as $$ select nullif(pg_catalog.current_setting('app.current_user_id', true), '')::pg_catalog.uuid $$;

create function public.current_member_role() returns text
    language sql
    stable
    parallel safe
as $$ select nullif(pg_catalog.current_setting('app.current_role', true), '') $$;

-- First statement of every transaction of the API. A procedure, because CALL returns no rows: it can lead a batch unseen.
-- The settings end with the transaction; the next use of the connection begins with none.
create procedure public.enter_tenant(organization_id uuid, user_id uuid, member_role text)
    language plpgsql
    set search_path = ''
as $$
begin
    perform pg_catalog.set_config('app.current_organization_id', coalesce(organization_id::text, ''), true),
            pg_catalog.set_config('app.current_user_id', coalesce(user_id::text, ''), true),
            pg_catalog.set_config('app.current_role', coalesce(member_role, ''), true);
end
$$;

-- Binds a table with an organization_id column to its organization. FORCE binds its owner too, whose migrations and definer functions
-- then go through the policy owner_access. The sub-select is evaluated once for a statement, not for each row.
create function public.enable_tenant_isolation(target regclass) returns void
    language plpgsql
    set search_path = ''
as $$
begin
    execute pg_catalog.format('alter table %s enable row level security', target);
    execute pg_catalog.format('alter table %s force row level security', target);
    execute pg_catalog.format('drop policy if exists tenant_isolation on %s', target);
    execute pg_catalog.format('drop policy if exists engine_access on %s', target);
    execute pg_catalog.format('drop policy if exists owner_access on %s', target);
    execute pg_catalog.format(
        'create policy tenant_isolation on %s for all to agentplatform_api '
        'using (organization_id = (select public.current_organization_id())) '
        'with check (organization_id = (select public.current_organization_id()))', target);
    execute pg_catalog.format('create policy engine_access on %s for all to agentplatform_engine using (true) with check (true)', target);
    execute pg_catalog.format('create policy owner_access on %s for all to agentplatform_migrator using (true) with check (true)', target);
    execute pg_catalog.format('grant select, insert, update, delete on %s to agentplatform_api, agentplatform_engine', target);
end
$$;

-- Tells every silo and API process that configuration changed, so that what they hold hot is read again. Sent with the commit; the payload is {"table", "organizationId", "id"}.
create function public.notify_configuration_changed() returns trigger
    language plpgsql
    set search_path = ''
as $$
declare
    changed jsonb := case when tg_op = 'DELETE' then pg_catalog.to_jsonb(old) else pg_catalog.to_jsonb(new) end;
begin
    perform pg_catalog.pg_notify('configuration_changed', pg_catalog.jsonb_build_object(
        'table', tg_table_name,
        'organizationId', coalesce(changed -> 'organization_id', case when tg_table_name = 'organizations' then changed -> 'id' end),
        'id', coalesce(changed -> 'id', changed -> 'channel_id'))::text);
    return null;
end
$$;
