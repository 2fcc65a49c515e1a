"""The address: validated, written on change, carried between pages."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def _script() -> None:
    import streamlit as st

    from pages.shared import state

    state.arrive(st.session_state.get("test.page", "one"))
    value = state.choice("city", ["a", "b"], "a")
    st.selectbox("City", ["a", "b"], key="city", on_change=state.remember, args=("city",))
    st.text(f"{value} {state.wrong_choice('city', ['a', 'b'])} {state.address(cell='x', none=None)}")


def test_choice_follows_address_and_widget() -> None:
    test = AppTest.from_function(_script).run()
    assert test.text[0].value == "a None {'cell': 'x'}"
    assert dict(test.query_params) == {}  # a default is not written
    test.selectbox(key="city").set_value("b").run()
    assert test.query_params["city"] == "b"
    assert test.text[0].value == "b None {'city': 'b', 'cell': 'x'}"


def test_wrong_value_falls_back_and_is_told() -> None:
    test = AppTest.from_function(_script)
    test.query_params["city"] = "z"
    test.run()
    assert test.text[0].value.startswith("a z")


def test_shared_choice_is_written_once_on_arrival_so_that_back_works() -> None:
    test = AppTest.from_function(_script)
    test.query_params["city"] = "b"
    test.run()
    del test.query_params["city"]  # the navigation bar drops the address
    test.session_state["test.page"] = "two"
    test.run()
    assert test.query_params["city"] == "b"
    del test.query_params["city"]  # Back, on the same page
    test.run()
    assert "city" not in test.query_params
    assert test.selectbox(key="city").value == "b"


def _of_a_page() -> None:
    import streamlit as st

    from pages.shared import state

    state.arrive(st.session_state.get("test.page", "one"))
    state.choice("city", ["a", "b"], "a")
    st.text(state.choice("left", ["census", "fold"], "census"))


def _go(test: AppTest, page: str, **address: str) -> str:
    """Go to a page by the navigation, which drops the address, or by one that names its own choices."""
    for name in list(test.query_params):
        del test.query_params[name]
    test.query_params.update(address)
    test.session_state["test.page"] = page
    return str(test.run().text[0].value)


def test_a_page_left_by_the_navigation_is_found_as_it_was() -> None:
    test = AppTest.from_function(_of_a_page)
    assert _go(test, "one", left="fold") == "fold"
    assert _go(test, "two") == "census"  # another page has choices of its own
    assert _go(test, "one") == "fold"
    assert test.query_params["left"] == "fold"
    _go(test, "two")
    assert _go(test, "one", left="census") == "census"  # an address says what it wants
    _go(test, "two")
    assert _go(test, "one") == "census"


def test_what_was_chosen_in_one_city_is_not_brought_to_another() -> None:
    test = AppTest.from_function(_of_a_page)
    _go(test, "one", left="fold")
    _go(test, "two", city="b")
    assert _go(test, "one") == "census"
