"""Generated cities whose truth is known, written as files in the official formats."""

from data.world.plan import SIZES, city_plans
from data.world.write import RECIPES, make_world, photograph, write_world

__all__ = ["RECIPES", "SIZES", "city_plans", "make_world", "photograph", "write_world"]
