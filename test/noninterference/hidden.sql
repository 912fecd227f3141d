-- What a filter on rows hides differs, too. Run on variant B only, after everything is as in variant A.
UPDATE public.cases SET note = reverse(note), amount = amount * 7 + 1 WHERE owner <> 'me';
CLUSTER public.cases USING cases_pkey;
ANALYZE public.cases;
