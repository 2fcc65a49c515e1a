"""Words of two fields, for readers who know one of them: the census's, the networks', the study's own."""

from __future__ import annotations

from pages.shared.language import later

# for readers who come from machine learning
CENSUS_TERMS: dict[str, str] = {
    later("Cell"): later(
        "A square of 200 m of the census grid (EPSG:3035 in Europe); the smallest area for which a "
        "statistical office gives figures."
    ),
    later("Standard of living"): later(
        "Disposable income of a household over its consumption units: 1 for the first adult, 0.5 for each "
        "other person of 14 or more, 0.3 for each child. The same for everybody in the household."
    ),
    later("Winsorised"): later(
        "Said of incomes whose extremes were set to a bound, so that one rich household does not make the "
        "cell."
    ),
    later("Income"): later(
        "Sum of the winsorised standard of living of a cell over its people, euros a year and person."
    ),
    later("Class, decile, quintile"): later(
        "Income quantile class of a cell inside its city; 1 is the poorest. Ten classes are deciles, five "
        "quintiles. A decile of one city is not that of another."
    ),
    later("Poor, rich"): later(
        "Here only: the lowest and the highest 40 % of classes of a city. No poverty line is meant."
    ),
    later("Household"): later("The people of one dwelling; in these data, those of one tax household."),
    later("Statistical secrecy"): later(
        "The duty not to let a household be known: no figures for fewer than 11 households."
    ),
    later("Imputed"): later(
        "Values that the statistical office filled in, from a coarser square, to protect few households. "
        "Left out of headline figures."
    ),
    later("Functional urban area"): later(
        "A city with the communes from which people commute to it; the outline of most cities here."
    ),
    later("Urban Atlas, land-use class"): later(
        "The European map of land use in cities, from 0.25 ha on; its code of a polygon. The area of each "
        "class in a cell is exact, not by pixel centres."
    ),
    later("Vintage"): later("The year that a file describes, which is not that in which it was made."),
    later("Aerial photograph"): later(
        "Photograph from a plane, made to fit the map (orthophotograph); its resolution is the side of a "
        "pixel on the ground."
    ),
    later("Spatial autocorrelation"): later(
        "Neighbours are alike, so a thousand cells say less than a thousand independent ones. Moran's I "
        "measures it; residuals with a large I leave something of the place unexplained."
    ),
    later("Ecological fallacy"): later("Taking what holds of areas for what holds of the people in them."),
}

# for readers who come from planning or official statistics
NETWORK_TERMS: dict[str, str] = {
    later("Network"): later(
        "A function with millions of numbers (weights), found by training, that turns the photograph of a "
        "cell into z."
    ),
    later("Training, epoch, loss"): later(
        "Weights are changed little by little until predictions fit the training cells; an epoch is one "
        "passage over them, the loss how badly they still fit."
    ),
    later("Fold"): later(
        "Part of the cells, in spatial blocks, that one network never saw in training and then predicts."
    ),
    later("Out of fold"): later("Said of a prediction by the one network that never saw the cell."),
    later("z"): later(
        "The network's one number for a cell; under the binomial head the class distribution is a function "
        "of it."
    ),
    later("Head"): later(
        "The last step, from z to the class distribution: binomial and coral know the order of the classes "
        "and have one weight vector, softmax has one for each class."
    ),
    later("Expected class"): later("Mean of the class distribution."),
    later("Entropy"): later("How undecided a class distribution is: 0 sure, 1 knows nothing."),
    later("Spread"): later(
        "Standard deviation of the expected class over the folds' networks, where several speak."
    ),
    later("Shrinkage"): later(
        "A network that is not sure predicts toward the middle: the poorest come out too rich, the richest "
        "too poor."
    ),
    later("Calibration"): later("Whether classes stated with 30 % come true in 30 % of the cells."),
    later("Weighted kappa"): later(
        "Agreement of two classes beyond what chance gives, far misses weighing more (by the square of the "
        "distance): 1 perfect, 0 chance."
    ),
    later("Confusion matrix"): later("How many cells of each census class got each predicted class."),
    later("Activation map (CAM)"): later(
        "Evidence E of each place of a cell for richer (+) or poorer (−); its mean is the cell's z, measured "
        "from the mean of the training cells in their standard deviations."
    ),
    later("Activation map (Grad-CAM × gradient)"): later(
        "The map of Levy Abitbol and Karsai (2020): Grad-CAM times the size of the gradient. Called guided "
        "by them; the guided rule acts on ReLU, which this network has not."
    ),
    later("Occlusion"): later(
        "A class is painted over in the photograph and z computed again: what changes is its effect, less "
        "that of masks of its shape moved elsewhere in the cell."
    ),
    later("Feature"): later(
        "A number that the network makes of a cell before z; cells with like features look alike to it."
    ),
}

# for both
STUDY_TERMS: dict[str, str] = {
    later("Ratio"): later(
        "Activation share of a land-use class over its area share; 1 is attention in proportion to area."
    ),
    later("Excess"): later("Mean evidence in a class less mean evidence of the cell."),
    later("Contribution"): later(
        "Part of a cell's z that lies in a class; parts and the unmapped rest add up."
    ),
    later("Rank correlation (Spearman, Kendall)"): later(
        "Whether two orders agree: 1 the same order, 0 none, −1 the reverse. Spearman correlates ranks, "
        "Kendall counts pairs in the same order; Pearson correlates the values themselves."
    ),
    later("Relation (i), (ii), (iii), (iv)"): later(
        "Correlations per land-use class: area share with census class; area share with predicted class; "
        "excess with predicted class where the class is present; effect of painting over with predicted "
        "class there."
    ),
    later("Pull"): later(
        "Which way and how far what the network sees on a class moves z, for one standard deviation of the "
        "class's share."
    ),
    later("Reliance"): later("Rank correlation with income that is lost when a class is painted over."),
    later("Index, verdict"): later(
        "Correlation, over classes, of relation (i) with the pull; the verdict says whether it is that of a "
        "network that follows land use."
    ),
    later("Null"): later(
        "What a relation would be if the map had nothing to do with the polygons: the map moved on the torus "
        "in its cell."
    ),
    later("Corrected interval"): later(
        "Interval with the effective number of independent cells, fewer than cells since neighbours are "
        "alike."
    ),
    later("q, false-discovery control"): later(
        "p-value corrected for looking at many classes at once (Benjamini and Hochberg): of those with q up "
        "to 0.05, about one in twenty is expected to be chance."
    ),
}

# What the recipe of a generated city means (METHOD 8).
RECIPES: dict[str, str] = {
    "objects": later(
        "income shows only through objects (pools, gardens, sheds …) inside some land-use classes, while the "
        "mix of land use is independent of income."
    ),
    "mix": later("only the mix of land use carries income."),
    "hidden": later(
        "land use goes with income, but the photograph is drawn so that the classes that carry it look alike."
    ),
    "nothing": later("nothing in the photograph carries income; what a model seems to find here is chance."),
}
