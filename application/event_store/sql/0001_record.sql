-- The record of facts: one table that only grows, a one-row head that orders writers, and what an append writes beside it.
-- __schema__ stands for the schema's quoted name. __role__ for the role that the program works under.

CREATE TABLE __schema__.head (
    only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    position    bigint NOT NULL,
    appended_at timestamptz NOT NULL,
    was_quiet   boolean NOT NULL
) WITH (fillfactor = 10);  -- room on the page: every append updates this row in place (HOT)
INSERT INTO __schema__.head VALUES (true, 0, '-infinity', true);

CREATE TABLE __schema__.fact (
    position    bigint PRIMARY KEY,
    stream      uuid NOT NULL,
    version     integer NOT NULL,
    name        text NOT NULL,
    body        bytea NOT NULL,
    recorded_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX fact_stream_version ON __schema__.fact (stream, version);
-- recorded_at never falls as position rises (see append), so a block-range index maps an instant to a position.
CREATE INDEX fact_recorded_at ON __schema__.fact USING brin (recorded_at) WITH (pages_per_range = 16);

-- A command is known by its actor and id; its facts are `facts` many from the one at (stream, version) on.
CREATE TABLE __schema__.command (
    actor   uuid NOT NULL,
    id      uuid NOT NULL,
    digest  bytea NOT NULL,
    stream  uuid NOT NULL,
    version integer NOT NULL,
    facts   integer NOT NULL,
    CONSTRAINT command_once PRIMARY KEY (actor, id)
);

-- What may be held once (a phone, a unit, a label), and what may be shared (a name, the disputes about a thing). Derived: rebuilt from the facts.
CREATE TABLE __schema__.claim (
    kind    text NOT NULL,
    key     bytea NOT NULL,
    subject uuid NOT NULL,
    CONSTRAINT claim_unique PRIMARY KEY (kind, key, subject)
);
CREATE UNIQUE INDEX claim_exclusive ON __schema__.claim (kind, key) WHERE kind NOT IN ('name', 'disputed');

-- A person's key, wrapped by the master key that the database never sees.
CREATE TABLE __schema__.person_key (
    person  uuid PRIMARY KEY,
    wrapped bytea NOT NULL
);

CREATE TABLE __schema__.master_key (
    only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    fingerprint bytea NOT NULL
);

CREATE FUNCTION __schema__.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the record of facts is never changed: % on % refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER fact_is_for_ever BEFORE UPDATE OR DELETE OR TRUNCATE ON __schema__.fact
    FOR EACH STATEMENT EXECUTE FUNCTION __schema__.refuse_change();
CREATE TRIGGER command_is_for_ever BEFORE UPDATE OR DELETE OR TRUNCATE ON __schema__.command
    FOR EACH STATEMENT EXECUTE FUNCTION __schema__.refuse_change();

-- One command, all or nothing. Whatever may wait for others (command id, claims) is written before the head row is locked;
-- under that lock the positions are dealt out, so they are dense and reading order is commit order.
CREATE FUNCTION __schema__.append(
    streams uuid[], versions integer[], names text[], bodies bytea[],
    command_actor uuid, command_id uuid, command_digest bytea,
    claim_kinds text[], claim_keys bytea[], claim_subjects uuid[],
    persons uuid[], wrapped_keys bytea[],
    OUT first_position bigint, OUT appended timestamptz
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    n integer := cardinality(streams);
    quiet boolean;
BEGIN
    IF command_id IS NOT NULL THEN
        INSERT INTO __schema__.command VALUES (command_actor, command_id, command_digest, streams[1], versions[1], n);
    END IF;
    IF cardinality(claim_kinds) > 0 THEN
        INSERT INTO __schema__.claim
            SELECT c.kind, c.key, c.subject FROM unnest(claim_kinds, claim_keys, claim_subjects) AS c (kind, key, subject)
            WHERE c.kind NOT IN ('name', 'disputed') ORDER BY c.kind, c.key;
        INSERT INTO __schema__.claim
            SELECT c.kind, c.key, c.subject FROM unnest(claim_kinds, claim_keys, claim_subjects) AS c (kind, key, subject)
            WHERE c.kind IN ('name', 'disputed') ORDER BY c.kind, c.key ON CONFLICT DO NOTHING;
    END IF;
    IF cardinality(persons) > 0 THEN
        INSERT INTO __schema__.person_key SELECT * FROM unnest(persons, wrapped_keys);
    END IF;
    -- The clock never runs backwards in the record, and listeners are woken only when the log had been quiet: one that has
    -- found something goes on polling for longer than that before it sleeps (see the subscription).
    UPDATE __schema__.head
        SET position = position + n,
            appended_at = greatest(clock_timestamp(), appended_at),
            was_quiet = clock_timestamp() > appended_at + interval '20 ms'
        RETURNING position - n + 1, appended_at, was_quiet INTO first_position, appended, quiet;
    IF n = 1 THEN
        INSERT INTO __schema__.fact VALUES (first_position, streams[1], versions[1], names[1], bodies[1], appended);
    ELSE
        INSERT INTO __schema__.fact
            SELECT first_position + f.place - 1, f.stream, f.version, f.name, f.body, appended
            FROM unnest(streams, versions, names, bodies) WITH ORDINALITY AS f (stream, version, name, body, place);
    END IF;
    IF quiet THEN
        PERFORM pg_notify('__channel__', '');
    END IF;
END $$;

-- Commits twice in one round trip. The first commit ends the lock on the head row without waiting for the disk; the second
-- waits, without any lock, until the log up to and including the first is on disk - many clients share one such wait. The
-- caller is answered after the second, so what is acknowledged is durable; and since the log is written in order, what
-- survives a crash is always a prefix of the record.
CREATE PROCEDURE __schema__.append_durably(
    streams uuid[], versions integer[], names text[], bodies bytea[],
    command_actor uuid, command_id uuid, command_digest bytea,
    claim_kinds text[], claim_keys bytea[], claim_subjects uuid[],
    persons uuid[], wrapped_keys bytea[],
    INOUT first_position bigint, INOUT appended timestamptz
) LANGUAGE plpgsql AS $$
BEGIN
    SET LOCAL synchronous_commit = off;
    SELECT a.first_position, a.appended INTO first_position, appended
        FROM __schema__.append(streams, versions, names, bodies, command_actor, command_id, command_digest,
            claim_kinds, claim_keys, claim_subjects, persons, wrapped_keys) AS a;
    COMMIT;
    PERFORM pg_catalog.pg_logical_emit_message(true, 'lunpai', '');
END $$;

-- What a reader has seen is on disk once this returns.
CREATE FUNCTION __schema__.make_durable() RETURNS void LANGUAGE sql AS $$
    SELECT pg_catalog.pg_logical_emit_message(true, 'lunpai', '');
$$;

GRANT USAGE ON SCHEMA __schema__ TO __role__;
GRANT SELECT ON ALL TABLES IN SCHEMA __schema__ TO __role__;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA __schema__ FROM PUBLIC;
REVOKE EXECUTE ON ALL PROCEDURES IN SCHEMA __schema__ FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA __schema__ TO __role__;
GRANT EXECUTE ON ALL PROCEDURES IN SCHEMA __schema__ TO __role__;
