-- Credits may be taken from the lot of one posting: what a refund takes back is what that purchase bought. The rest of both
-- functions is as 0002 has it.
CREATE OR REPLACE FUNCTION ledger.move_lots(
    p_posting bigint, p_key text, p_entries jsonb, p_ids bigint[], p_amounts bigint[], p_personal bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_cost text;
    v_left bigint;
    v_from text;                   -- the key of the posting whose lot is named
    v_lot record;
    v_opens boolean;
BEGIN
    FOR i IN 1 .. cardinality(p_ids) LOOP
        v_cost := p_entries -> (i - 1) ->> 4;
        v_opens := p_ids[i] = ANY (p_personal) AND p_amounts[i] > 0 AND p_entries -> (i - 1) ->> 2 NOT IN ('USD', 'NGN');
        IF v_opens <> (v_cost IS NOT NULL) THEN
            RAISE EXCEPTION 'posting %: a unit cost goes with credits given to a user, and only there', p_key
                USING ERRCODE = 'check_violation';
        END IF;
        IF v_opens THEN
            INSERT INTO ledger.lots (account_id, posting_id, quantity, remaining, unit_cost)
                VALUES (p_ids[i], p_posting, p_amounts[i], p_amounts[i], v_cost::numeric);
        END IF;
    END LOOP;
    FOR i IN 1 .. cardinality(p_ids) LOOP
        CONTINUE WHEN p_amounts[i] > 0 OR NOT p_ids[i] = ANY (p_personal)
                   OR p_entries -> (i - 1) ->> 2 IN ('USD', 'NGN');
        v_left := -p_amounts[i];
        v_from := p_entries -> (i - 1) ->> 5;
        WHILE v_left > 0 LOOP
            SELECT id, least(remaining, v_left) AS taken INTO STRICT v_lot FROM ledger.lots
                WHERE account_id = p_ids[i] AND remaining > 0
                  AND (v_from IS NULL OR posting_id = (SELECT p.id FROM ledger.postings p WHERE p.key = v_from))
                ORDER BY id LIMIT 1;
            UPDATE ledger.lots SET remaining = remaining - v_lot.taken WHERE id = v_lot.id;
            INSERT INTO ledger.lot_uses (lot_id, posting_id, quantity) VALUES (v_lot.id, p_posting, v_lot.taken);
            v_left := v_left - v_lot.taken;
        END LOOP;
    END LOOP;
END $$;

-- p_entries: [[owner, name, asset, amount, unit_cost text or null, key of the posting whose lot is taken (absent: the oldest)], ...].
-- outcome: posted | replayed | key_reused |
-- insufficient | hold_closed | no_hold. Refusals the caller can cause in good faith are answers, so that a set of postings needs
-- no subtransactions; what only a bug can cause raises.
CREATE OR REPLACE FUNCTION ledger.post(
    p_key text, p_kind text, p_description text, p_correlation text, p_at timestamptz, p_entries jsonb,
    p_hold bigint DEFAULT NULL, OUT outcome text, OUT posting_id bigint, OUT uses jsonb, OUT trouble jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_inputs CONSTANT bytea := sha256(convert_to(concat_ws(' ', p_kind, coalesce(p_hold, 0), p_entries::text), 'UTF8'));
    v_count CONSTANT int := jsonb_array_length(p_entries);
    v_entry jsonb;
    v_ids bigint[] := '{}';        -- account, amount, before and after of each entry
    v_amounts bigint[] := '{}';
    v_before bigint[] := '{}';
    v_after bigint[] := '{}';
    v_assets text[] := '{}';       -- the sum of each asset
    v_sums bigint[] := '{}';
    l_ids bigint[] := '{}';        -- the locked accounts
    l_balance bigint[] := '{}';
    l_held bigint[] := '{}';
    l_change bigint[] := '{}';
    l_floor bigint[] := '{}';
    v_hold ledger.holds;
    v_row record;
    v_id bigint;
    v_slot int;
    v_missing boolean := false;
    v_credits boolean := false;
    v_lots bigint;
BEGIN
    -- The accounts; missing ones are opened in one order by everybody.
    FOR i IN 0 .. v_count - 1 LOOP
        v_entry := p_entries -> i;
        SELECT id INTO v_id FROM ledger.accounts
            WHERE owner = v_entry ->> 0 AND name = v_entry ->> 1 AND asset = v_entry ->> 2;
        v_missing := v_missing OR v_id IS NULL;
        v_ids[i + 1] := v_id;
        v_amounts[i + 1] := (v_entry ->> 3)::bigint;
        v_credits := v_credits OR v_entry ->> 2 NOT IN ('USD', 'NGN');
        v_slot := array_position(v_assets, v_entry ->> 2);
        IF v_slot IS NULL THEN
            v_assets := v_assets || (v_entry ->> 2);
            v_sums := v_sums || v_amounts[i + 1];
        ELSE
            v_sums[v_slot] := v_sums[v_slot] + v_amounts[i + 1];
        END IF;
    END LOOP;
    IF v_count < 2 OR v_sums <> array_fill(0::bigint, ARRAY[cardinality(v_sums)]) THEN
        RAISE EXCEPTION 'posting % does not balance', p_key USING ERRCODE = 'check_violation';
    END IF;
    IF v_missing THEN
        PERFORM ledger.open_account(a.owner, a.name, a.asset) FROM (
            SELECT DISTINCT v ->> 0 AS owner, v ->> 1 AS name, v ->> 2 AS asset FROM jsonb_array_elements(p_entries) v
            ORDER BY 1, 2, 3) a;
        FOR i IN 0 .. v_count - 1 LOOP
            v_ids[i + 1] := ledger.open_account(p_entries -> i ->> 0, p_entries -> i ->> 1, p_entries -> i ->> 2);
        END LOOP;
    END IF;

    -- Every balance row, in account order; then the hold.
    FOR v_row IN SELECT account_id, balance, held, floor FROM ledger.balances
                 WHERE account_id = ANY (v_ids) ORDER BY account_id FOR UPDATE LOOP
        l_ids := l_ids || v_row.account_id;
        l_balance := l_balance || v_row.balance;
        l_held := l_held || v_row.held;
        l_floor := l_floor || v_row.floor;
        l_change := l_change || 0::bigint;
    END LOOP;
    IF p_hold IS NOT NULL THEN
        SELECT * INTO v_hold FROM ledger.holds WHERE id = p_hold FOR UPDATE;
        IF v_hold.id IS NULL THEN
            outcome := 'no_hold';
            RETURN;
        END IF;
    END IF;

    FOR i IN 1 .. v_count LOOP
        v_slot := array_position(l_ids, v_ids[i]);
        IF v_slot IS NULL THEN
            v_before[i] := NULL;
            v_after[i] := NULL;
        ELSE
            v_before[i] := l_balance[v_slot] + l_change[v_slot];
            l_change[v_slot] := l_change[v_slot] + v_amounts[i];
            v_after[i] := l_balance[v_slot] + l_change[v_slot];
        END IF;
    END LOOP;

    IF p_hold IS NOT NULL THEN
        v_slot := array_position(l_ids, v_hold.account_id);
        IF v_slot IS NULL OR l_change[v_slot] <> -v_hold.amount THEN
            RAISE EXCEPTION 'posting % must take exactly what hold % holds', p_key, p_hold USING ERRCODE = 'check_violation';
        END IF;
        IF v_hold.state <> 'held' THEN
            outcome := 'hold_closed';
            trouble := jsonb_build_object('state', v_hold.state);
        ELSE
            l_held[v_slot] := l_held[v_slot] - v_hold.amount;
        END IF;
    END IF;
    IF outcome IS NULL THEN
        FOR i IN 1 .. cardinality(l_ids) LOOP
            IF l_change[i] < 0 AND l_balance[i] - l_held[i] + l_change[i] < l_floor[i] THEN
                outcome := 'insufficient';
                SELECT jsonb_build_object('owner', owner, 'name', name, 'asset', asset, 'needed', -l_change[i],
                                          'available', l_balance[i] - l_held[i] - l_floor[i])
                    INTO trouble FROM ledger.accounts WHERE id = l_ids[i];
                EXIT;
            END IF;
        END LOOP;
    END IF;

    -- A lot that is named must have what is taken from it.
    IF outcome IS NULL AND v_credits THEN
        FOR i IN 1 .. v_count LOOP
            v_entry := p_entries -> (i - 1);
            CONTINUE WHEN v_entry ->> 5 IS NULL;
            SELECT coalesce(sum(l.remaining), 0) INTO v_lots FROM ledger.lots l
                JOIN ledger.postings p ON p.id = l.posting_id
                WHERE l.account_id = v_ids[i] AND l.remaining > 0 AND p.key = v_entry ->> 5;
            IF v_lots < -v_amounts[i] THEN
                outcome := 'insufficient';
                trouble := jsonb_build_object('owner', v_entry ->> 0, 'name', v_entry ->> 1, 'asset', v_entry ->> 2,
                                              'needed', -v_amounts[i], 'available', v_lots);
                EXIT;
            END IF;
        END LOOP;
    END IF;

    -- The key decides last: a posting that could not be made again today may still be one that was made yesterday.
    IF outcome IS NULL THEN
        INSERT INTO ledger.postings (key, inputs, kind, description, correlation_id, at)
            VALUES (p_key, v_inputs, p_kind, p_description, p_correlation, p_at)
            ON CONFLICT (key) DO NOTHING RETURNING id INTO posting_id;
    END IF;
    IF posting_id IS NULL THEN
        SELECT id, inputs INTO v_row FROM ledger.postings WHERE key = p_key;
        IF v_row.id IS NOT NULL THEN
            trouble := NULL;
            IF v_row.inputs <> v_inputs THEN
                outcome := 'key_reused';
            ELSE
                outcome := 'replayed';
                posting_id := v_row.id;
                uses := ledger.uses_of(v_row.id);
            END IF;
        END IF;
        RETURN;
    END IF;

    outcome := 'posted';
    v_id := posting_id;
    INSERT INTO ledger.entries (posting_id, account_id, amount, before, after)
        SELECT v_id, e.* FROM unnest(v_ids, v_amounts, v_before, v_after) e;
    FOR i IN 1 .. cardinality(l_ids) LOOP
        UPDATE ledger.balances SET balance = l_balance[i] + l_change[i], held = l_held[i] WHERE account_id = l_ids[i];
    END LOOP;
    IF p_hold IS NOT NULL THEN
        UPDATE ledger.holds SET state = 'captured', closed_at = p_at, close_key = p_key, posting_id = v_id WHERE id = p_hold;
    END IF;
    IF v_credits THEN
        PERFORM ledger.move_lots(v_id, p_key, p_entries, v_ids, v_amounts, l_ids);
        uses := ledger.uses_of(v_id);
    ELSIF jsonb_path_exists(p_entries, '$[*][4] ? (@ != null)') THEN
        RAISE EXCEPTION 'posting %: only credits have a unit cost', p_key USING ERRCODE = 'check_violation';
    END IF;
END $$;
