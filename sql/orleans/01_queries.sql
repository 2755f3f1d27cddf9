-- The ADO.NET providers of Orleans read every statement that they run from this table, by key. Its name and columns are
-- theirs; the tables behind the statements are ours. The embedded runtime runs the same statements.
CREATE TABLE IF NOT EXISTS orleansquery (
    querykey varchar(64) PRIMARY KEY,
    querytext varchar(8000) NOT NULL
);

GRANT SELECT ON orleansquery TO agentplatform_engine, agentplatform_api;
