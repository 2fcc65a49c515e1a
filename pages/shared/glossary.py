"""Words of this field, for readers who know only half of it."""

from __future__ import annotations

TERMS: dict[str, str] = {
    "Cell": "A square of 200 m of the census grid (EPSG:3035 in Europe).",
    "Income": "Sum of the winsorised standard of living of a cell over its people, euros a year and person.",
    "Class, decile": "Income quantile class of a cell inside its city; 1 is the poorest.",
    "Imputed": "Values that the statistical office filled in to protect few households. Left out of "
    "headline figures.",
    "Land-use class": "Urban Atlas code of a polygon; the area of each class in a cell is exact, not by "
    "pixel centres.",
    "Fold": "Part of the cells, in spatial blocks, that one network never saw in training and then predicts.",
    "Out of fold": "Said of a prediction by the one network that never saw the cell.",
    "z": "The network's one number for a cell; under the binomial head the class distribution is a function "
    "of it.",
    "Expected class": "Mean of the class distribution.",
    "Spread": "Standard deviation of the expected class over the folds' networks, where several speak.",
    "Entropy": "How undecided a class distribution is: 0 sure, 1 knows nothing.",
    "Activation map (CAM)": "Evidence E of each place of a cell for richer (+) or poorer (−); its mean is "
    "the cell's z, "
    "measured from the mean of the training cells in their standard deviations.",
    "Activation map (Grad-CAM × gradient)": "The map of Levy Abitbol and Karsai (2020): Grad-CAM times the "
    "size of the "
    "gradient. Called guided by them; the guided rule acts on ReLU, which this network has not.",
    "Ratio": "Activation share of a land-use class over its area share; 1 is attention in proportion to "
    "area.",
    "Excess": "Mean evidence in a class less mean evidence of the cell.",
    "Contribution": "Part of a cell's z that lies in a class; parts and the unmapped rest add up.",
    "Relation (i), (ii), (iii)": "Correlations per land-use class: area share with census class; area share "
    "with predicted "
    "class; excess with predicted class where the class is present.",
    "Null": "What a relation would be if the map had nothing to do with the polygons: the map moved on the "
    "torus in its cell.",
    "Corrected interval": "Interval with the effective number of independent cells, fewer than cells since "
    "neighbours are "
    "alike.",
    "q": "p-value after false-discovery control over the classes of a city.",
}

# What the recipe of a generated city means (METHOD 8).
RECIPES: dict[str, str] = {
    "objects": "income shows only through objects (pools, gardens, sheds …) inside some land-use classes, "
    "while the mix of "
    "land use is independent of income.",
    "mix": "only the mix of land use carries income.",
    "hidden": "land use goes with income, but the photograph is drawn so that the classes that carry it "
    "look alike.",
    "nothing": "nothing in the photograph carries income; what a model seems to find here is chance.",
}
