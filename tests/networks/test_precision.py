from steelyard.networks.precision import fast_bfloat16


def test_whether_bfloat16_pays_is_measured_once():
    fast_bfloat16.cache_clear()
    assert fast_bfloat16() in (True, False)
    assert fast_bfloat16() in (True, False)
    assert fast_bfloat16.cache_info().misses == 1
