-- The floor: days, receptions, and what stands of them.

-- turn_board --
SELECT staff, day, signed_in_at, signed_out_at, present, out, visit_place, call_place, visit_turns, call_turns,
       visit_turns_period, call_turns_period, received, receptions, helped, unanswered, make_ups_granted,
       make_ups_served, visit_make_ups_owed, call_make_ups_owed, visit_passes_owed, call_passes_owed, passed_over,
       passed, absences, gave_up, gave_up_against, fines_yuan, warnings, month_fines_yuan, month_warnings, suspended,
       day_lost, not_ready, no_calls, double_rounds, on_floor_seconds, receiving_seconds, door_stints,
       door_owed_minutes, edition, position
FROM __views__.turn_board
WHERE site = %(site)s AND day BETWEEN %(first)s AND %(last)s
  AND (%(staff)s::uuid IS NULL OR staff = %(staff)s)
  AND (day, staff) > (%(after_day)s, %(after_staff)s)
ORDER BY day, staff
LIMIT %(most)s

-- assignments --
SELECT queue, label, day, channel, opened_at, assigned_at, finished_at, status, receiver, because, instead_of, owner,
       found_by, file, registration, party, purpose, standing, counted, helpers, called, passed_over, clauses, edition,
       positions
FROM __views__.assignments
WHERE site = %(site)s AND day BETWEEN %(first)s AND %(last)s
  AND (%(receiver)s::uuid IS NULL OR receiver = %(receiver)s)
  AND (%(present)s::uuid IS NULL OR receiver = %(present)s OR %(present)s = ANY(helpers))
  AND (%(status)s::text IS NULL OR status = %(status)s)
  AND (%(channel)s::text IS NULL OR channel = %(channel)s)
  AND (opened_at, queue, label) > (%(after_opened_at)s, %(after_queue)s, %(after_label)s)
ORDER BY opened_at, queue, label
LIMIT %(most)s

-- turns_between --
SELECT staff, count(signed_in_at) AS days_present, sum(visit_turns)::bigint AS visit_turns,
       sum(call_turns)::bigint AS call_turns, sum(received)::bigint AS received, sum(helped)::bigint AS helped,
       sum(unanswered)::bigint AS unanswered, sum(make_ups_granted)::bigint AS make_ups_granted,
       sum(make_ups_served)::bigint AS make_ups_served, sum(passed_over)::bigint AS passed_over,
       sum(absences)::bigint AS absences, sum(gave_up)::bigint AS gave_up,
       sum(gave_up_against)::bigint AS gave_up_against, sum(fines_yuan)::bigint AS fines_yuan,
       sum(warnings)::bigint AS warnings, sum(on_floor_seconds)::bigint AS on_floor_seconds,
       sum(receiving_seconds)::bigint AS receiving_seconds, sum(door_stints)::bigint AS door_stints,
       sum(door_owed_minutes)::bigint AS door_owed_minutes
FROM __views__.turn_board
WHERE site = %(site)s AND day BETWEEN %(first)s AND %(last)s
  AND (%(staff)s::uuid IS NULL OR staff = %(staff)s)
GROUP BY staff
HAVING count(signed_in_at) > 0 OR sum(received) > 0 OR sum(fines_yuan) > 0 OR sum(warnings) > 0
ORDER BY staff

-- turns_between_by_code --
-- Receptions by what the receiver was, and times passed over by why.
SELECT staff, what, code, sum(number::integer)::bigint AS count
FROM __views__.turn_board,
     LATERAL (SELECT 'receptions' AS what, r.key AS code, r.value AS number FROM json_each_text(receptions::json) r
              UNION ALL
              SELECT 'passed', p.key, p.value FROM json_each_text(passed::json) p) AS counted
WHERE site = %(site)s AND day BETWEEN %(first)s AND %(last)s
  AND (%(staff)s::uuid IS NULL OR staff = %(staff)s)
GROUP BY staff, what, code
ORDER BY staff, what, code

-- standing --
-- What stands of everybody after the last day on the floor until a day; fines and warnings of the month through that day.
SELECT coalesce(b.staff, m.staff) AS staff,
       coalesce(b.visit_make_ups_owed + b.call_make_ups_owed, 0) AS make_ups_owed,
       coalesce(b.visit_passes_owed + b.call_passes_owed, 0) AS passes_owed,
       coalesce(b.suspended, '{}') AS suspended, b.not_ready, coalesce(b.no_calls AND b.this_month, false) AS no_calls,
       coalesce(b.double_rounds AND b.this_month, false) AS double_rounds,
       coalesce(m.fines_yuan, 0) AS fines_yuan, coalesce(m.warnings, 0) AS warnings
FROM (SELECT *, day >= date_trunc('month', %(day)s::timestamp)::date AS this_month
      FROM __views__.turn_board
      WHERE site = %(site)s
        AND day = (SELECT max(day) FROM __views__.turn_board WHERE site = %(site)s AND day <= %(day)s)) b
FULL JOIN (SELECT staff, sum(fines_yuan)::bigint AS fines_yuan, sum(warnings)::bigint AS warnings
           FROM __views__.turn_board
           WHERE site = %(site)s AND day BETWEEN date_trunc('month', %(day)s::timestamp)::date AND %(day)s
           GROUP BY staff HAVING sum(fines_yuan) > 0 OR sum(warnings) > 0) m ON m.staff = b.staff
ORDER BY 1
