-- A second lock on the read side: who reads for clients does so as __reader__, and sees rows of the one site named by the
-- setting lunpai.site, whatever the query asks for; without the setting none. The tables' owner, who keeps and rebuilds
-- the views, is not held by it. (Tables made from now on are locked as they are made: see projections/tables.py.)

SET LOCAL ROLE __role__;
GRANT USAGE ON SCHEMA __views__ TO __reader__;
GRANT SELECT ON __views__.view TO __reader__;
GRANT SELECT (view, stream) ON __views__.parked TO __reader__;
DO $$
DECLARE
    there regclass;
BEGIN
    FOR there IN
        SELECT c.oid::regclass FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = 'site' AND NOT a.attisdropped
        WHERE c.relnamespace = '__views__'::regnamespace AND c.relkind = 'r'
          AND pg_catalog.pg_get_userbyid(c.relowner) = current_user
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', there);
        EXECUTE format('CREATE POLICY own_site ON %s FOR SELECT TO __reader__ USING '
            '(site = (SELECT nullif(current_setting(''lunpai.site'', true), '''')::uuid))', there);
        EXECUTE format('GRANT SELECT ON %s TO __reader__', there);
    END LOOP;
END $$;
RESET ROLE;
