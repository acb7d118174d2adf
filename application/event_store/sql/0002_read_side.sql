-- The read side: answers prepared ahead, in a schema of the program's own. All of it can be thrown away and rebuilt.
-- __views__ stands for that schema's quoted name.

CREATE SCHEMA __views__ AUTHORIZATION __role__;
SET LOCAL ROLE __role__;

-- Up to which fact each view holds, and by which code it was made. A view with no row has never been built.
CREATE TABLE __views__.view (
    name        text PRIMARY KEY,
    position    bigint NOT NULL,
    known_until timestamptz,  -- when that fact was recorded; null: there is none yet
    code        text NOT NULL,
    rebuilt_at  timestamptz,
    trouble     text
);

-- What a view could not take: the facts of these streams from a position on are left out of it until a retry succeeds;
-- the rest was judged under what was known of the site up to the fact judged_until.
CREATE TABLE __views__.parked (
    view         text NOT NULL,
    stream       uuid NOT NULL,
    position     bigint NOT NULL,
    name         text NOT NULL,
    reason       text NOT NULL,
    since        timestamptz NOT NULL,
    tries        integer NOT NULL,
    judged_until bigint NOT NULL,
    PRIMARY KEY (view, stream)
);

-- Rebuilds and checks, with what they found.
CREATE TABLE __views__.rebuild (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mode        text NOT NULL CHECK (mode IN ('rebuild', 'check')),
    views       text[] NOT NULL,
    asked_by    text NOT NULL,
    status      text NOT NULL CHECK (status IN ('running', 'done', 'failed', 'cancelled')),
    stage       text NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at    timestamptz,
    position    bigint NOT NULL DEFAULT 0,
    folded      bigint NOT NULL DEFAULT 0,
    seconds     double precision,
    compared    boolean NOT NULL DEFAULT false,
    differences bigint NOT NULL DEFAULT 0,
    cancel      boolean NOT NULL DEFAULT false,
    message     text
);

CREATE TABLE __views__.difference (
    rebuild bigint NOT NULL REFERENCES __views__.rebuild ON DELETE CASCADE,
    number  integer NOT NULL,
    view    text NOT NULL,
    key     jsonb NOT NULL,
    columns text[] NOT NULL,
    live    jsonb,
    fresh   jsonb,
    facts   bigint[] NOT NULL,
    note    text,
    PRIMARY KEY (rebuild, number)
);

RESET ROLE;
