-- activity_between --
-- What was done between two days (both included), by whom.
SELECT staff, what, sum(count)::bigint AS count
FROM __views__.activity
WHERE site = %(site)s AND day BETWEEN %(first)s AND %(last)s
GROUP BY staff, what
ORDER BY staff, what
