"""Which functions a query may call, by the names that DuckDB's parser gives them. All others are refused:
what reads files, catalogs or settings, what waits, what changes a state, and what nobody has looked at."""

from __future__ import annotations

from typing import Final

_OPERATORS: Final = """
    + - * / // % ** ^ & | << >> ~ ! @ || ~~ !~~ ~~* !~~* ~~~ ^@ && @> <@ -> ->> add subtract multiply divide
    mod power pow
"""
_NUMBERS: Final = """
    abs acos acosh asin asinh atan atan2 atanh bit_count cbrt ceil ceiling cos cosh cot degrees even exp
    fdiv floor fmod gcd greatest greatest_common_divisor isfinite isinf isnan lcm least
    least_common_multiple ln log log10 log2 nextafter pi radians round round_even roundbankers sign signbit
    sin sinh sqrt tan tanh trunc xor
"""
_TEXT: Final = """
    ascii bit_length char_length character_length chr concat concat_ws contains damerau_levenshtein
    editdist3 ends_with hamming ilike_escape instr jaccard jaro_similarity jaro_winkler_similarity lcase
    left len length levenshtein like_escape lower ltrim md5 mismatches nfc_normalize not_ilike_escape
    not_like_escape octet_length ord position prefix regexp_escape regexp_extract regexp_full_match
    regexp_matches regexp_replace replace reverse right rtrim sha1 sha256 split_part starts_with
    strip_accents strlen strpos substr substring suffix translate trim ucase unicode upper url_decode
    url_encode
"""
_TIMES: Final = """
    age century current_date current_localtime current_localtimestamp date_add date_diff date_part date_sub
    date_trunc datediff datepart datesub datetrunc day dayname dayofmonth dayofweek dayofyear days_in_month
    decade epoch epoch_ms epoch_ns epoch_us era get_current_time get_current_timestamp hour isodow isoyear
    julian last_day make_date make_time make_timestamp make_timestamp_ms make_timestamptz microsecond
    millennium millisecond minute month monthname nanosecond now quarter second strftime strptime
    time_bucket timezone timezone_hour timezone_minute to_centuries to_days to_decades to_hours
    to_microseconds to_millennia to_milliseconds to_minutes to_months to_quarters to_seconds to_timestamp
    to_weeks to_years today transaction_timestamp try_strptime week weekday weekofyear year yearweek
"""
_OTHER: Final = "coalesce constant_or_null hash if ifnull nullif switch typeof"

_LISTS: Final = """
    array_append array_apply array_concat array_contains array_distinct array_extract array_filter array_has
    array_has_all array_has_any array_indexof array_intersect array_length array_position array_prepend
    array_reverse array_reverse_sort array_slice array_sort array_to_string array_transform array_unique
    array_value array_zip cardinality element_at flatten list_append list_any_value list_apply list_avg
    list_cat list_concat list_contains list_cosine_distance list_cosine_similarity list_count list_distance
    list_distinct list_dot_product list_element list_extract list_filter list_first list_has list_has_all
    list_has_any list_indexof list_inner_product list_intersect list_last list_max list_median list_min
    list_mode list_pack list_position list_prepend list_product list_reduce list_resize list_reverse
    list_reverse_sort list_select list_slice list_sort list_stddev_pop list_stddev_samp list_sum
    list_transform list_unique list_value list_var_pop list_var_samp list_where list_zip map map_concat
    map_contains map_entries map_extract map_extract_value map_from_entries map_keys map_values row
    string_split string_split_regex str_split str_split_regex string_to_array struct_concat struct_contains
    struct_extract struct_extract_at struct_insert struct_keys struct_pack struct_values regexp_extract_all
    regexp_split_to_array regexp_split_to_table unnest unpivot_list union_extract union_tag union_value
"""
_LONGER: Final = """
    bar base64 bin bitstring encode decode format formatreadablesize formatreadabledecimalsize format_bytes
    from_base64 from_hex generate_series hex lpad printf range repeat rpad to_base64 to_hex unhex unbin
    uuid_extract_timestamp factorial gamma lgamma
"""
_JSON: Final = """
    array_to_json from_json json json_array json_array_length json_contains json_exists json_extract
    json_extract_path json_extract_path_text json_extract_string json_keys json_merge_patch json_object
    json_quote json_structure json_transform json_type json_valid json_value row_to_json to_json
"""
_AGGREGATE: Final = """
    any_value approx_count_distinct approx_quantile approx_top_k arbitrary arg_max arg_max_null arg_min
    arg_min_null argmax argmin array_agg avg bit_and bit_or bit_xor bitstring_agg bool_and bool_or corr
    count count_if count_star countif covar_pop covar_samp entropy favg first first_value fsum geomean
    geometric_mean group_concat histogram json_group_array json_group_object kahan_sum kurtosis kurtosis_pop
    last last_value list listagg mad max max_by mean median min min_by mode product quantile quantile_cont
    quantile_disc regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy
    regr_syy sem skewness stddev stddev_pop stddev_samp string_agg sum sum_no_overflow sumkahan var_pop
    var_samp variance wavg weighted_avg
"""
_FIGURES: Final = """
    avg count count_star max mean median min stddev stddev_pop stddev_samp sum var_pop var_samp variance
"""
_WINDOW: Final = (
    "error cume_dist dense_rank fill lag lead nth_value ntile percent_rank rank rank_dense row_number"
)


def _words(*texts: str) -> frozenset[str]:
    return frozenset(word for text in texts for word in text.split())


ROW: Final = _words(_OPERATORS, _NUMBERS, _TEXT, _TIMES, _OTHER)
"""Of one row's values alone, and no answer much longer than what it is of: for filters and groups of
figures."""

AGGREGATE: Final = _words(_AGGREGATE)
"""Of many rows."""

FIGURES: Final = ROW | _words(_FIGURES)
"""In what makes groups of a table that is shared for figures only."""

QUERY: Final = ROW | AGGREGATE | _words(_LISTS, _LONGER, _JSON, _WINDOW)
"""Over rows that the asker may see anyhow."""

TABLE: Final = frozenset(("range", "generate_series", "unnest"))
"""In the place of a table."""

TYPES: Final = frozenset(("json",))
"""Types that DuckDB's parser leaves to be looked up by name; its own it knows."""
