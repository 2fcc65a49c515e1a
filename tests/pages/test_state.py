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
