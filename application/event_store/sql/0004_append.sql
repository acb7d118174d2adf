-- An append says what it rests on: streams, with the version up to which each was read when the facts were decided. Nothing
-- is written once one of them has moved on, as nothing is where one of the facts' own has: the command is decided anew.
-- And it lets go of the lock that tells others that its command is being carried out, where this session holds it.

DROP PROCEDURE IF EXISTS __schema__.append_durably(
    uuid[], integer[], text[], bytea[], uuid, uuid, bytea, text[], bytea[], uuid[], uuid[], bytea[], bigint, timestamptz
);

-- Commits twice in one round trip, as before (see 0001): the first commit ends the lock on the head row without waiting for
-- the disk, the second waits for it. What it rests on is looked at under that lock, so nobody can move it in between.
CREATE OR REPLACE PROCEDURE __schema__.append_durably(
    streams uuid[], versions integer[], names text[], bodies bytea[],
    command_actor uuid, command_id uuid, command_digest bytea,
    claim_kinds text[], claim_keys bytea[], claim_subjects uuid[],
    persons uuid[], wrapped_keys bytea[],
    rests_on uuid[], read_until integer[], command_lock bigint,
    INOUT first_position bigint, INOUT appended timestamptz
) LANGUAGE plpgsql AS $$
BEGIN
    SET LOCAL synchronous_commit = off;
    SELECT a.first_position, a.appended INTO first_position, appended
        FROM __schema__.append(streams, versions, names, bodies, command_actor, command_id, command_digest,
            claim_kinds, claim_keys, claim_subjects, persons, wrapped_keys) AS a;
    FOR n IN 1 .. cardinality(rests_on) LOOP  -- a join would be planned anew at each append
        PERFORM FROM __schema__.fact AS f
            WHERE f.stream = rests_on[n] AND f.version = read_until[n] + 1 AND f.position < first_position;
        IF FOUND THEN
            RAISE unique_violation USING CONSTRAINT = 'rests_on', MESSAGE = 'what it rests on has moved on';
        END IF;
    END LOOP;
    COMMIT;
    IF command_lock IS NOT NULL THEN
        PERFORM pg_catalog.pg_advisory_unlock(command_lock);  -- whoever repeats the command from now on finds it on record
    END IF;
    PERFORM pg_catalog.pg_logical_emit_message(true, 'lunpai', '');
END $$;

REVOKE EXECUTE ON PROCEDURE __schema__.append_durably FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE __schema__.append_durably TO __role__;
