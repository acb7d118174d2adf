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
