-- Disputes and commissions.

-- docket --
SELECT dispute, label, about_file, about_registration, sale, raised_by, opened_at, status, ruled_at, ruled_by, reason,
       owner, shares, adopted, edition
FROM __views__.docket
WHERE site = %(site)s AND (%(status)s::text IS NULL OR status = %(status)s)
  AND (opened_at, dispute) > (%(after_opened_at)s, %(after_dispute)s)
ORDER BY opened_at, dispute
LIMIT %(most)s

-- commission_lines --
SELECT sale, staff, unit, sold_at, file, registration, share, amount_fen, total_fen, ground, owner, closer, ruled,
       agreed, edition
FROM __views__.commission
WHERE site = %(site)s AND (%(staff)s::uuid IS NULL OR staff = %(staff)s)
  AND sold_at >= %(begins)s AND sold_at < %(ends)s
  AND (sold_at, sale, staff) > (%(after_sold_at)s, %(after_sale)s, %(after_staff)s)
ORDER BY sold_at, sale, staff
LIMIT %(most)s

-- commission_sums --
SELECT staff, count(*) AS sales, sum(amount_fen)::bigint AS amount_fen
FROM __views__.commission
WHERE site = %(site)s AND (%(staff)s::uuid IS NULL OR staff = %(staff)s)
  AND sold_at >= %(begins)s AND sold_at < %(ends)s
GROUP BY staff
ORDER BY staff

-- sales_between --
SELECT count(DISTINCT sale) AS sales, coalesce(sum(amount_fen), 0)::bigint AS commission_fen
FROM __views__.commission
WHERE site = %(site)s AND sold_at >= %(begins)s AND sold_at < %(ends)s

-- sales --
-- One row a sale, with everybody who has a share in it; all of a period, or those that concern one member of staff.
SELECT sale, unit, sold_at, file, registration, total_fen, ground, owner, ruled, agreed, edition,
       array_agg(staff ORDER BY staff) AS staff, array_agg(share ORDER BY staff) AS shares,
       array_agg(amount_fen ORDER BY staff) AS amounts,
       coalesce(array_agg(staff ORDER BY staff) FILTER (WHERE closer), '{}') AS closers
FROM __views__.commission
WHERE site = %(site)s AND sold_at >= %(begins)s AND sold_at < %(ends)s
  AND (%(unit)s::text IS NULL OR unit = %(unit)s)
  AND (%(ground)s::text IS NULL OR ground = %(ground)s)
  AND (sold_at, sale) > (%(after_sold_at)s, %(after_sale)s)
GROUP BY sold_at, sale, unit, file, registration, total_fen, ground, owner, ruled, agreed, edition
HAVING %(concerns)s::uuid IS NULL OR owner = %(concerns)s OR bool_or(staff = %(concerns)s)
ORDER BY sold_at, sale
LIMIT %(most)s
