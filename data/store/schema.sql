-- A publication: one immutable DuckDB file that pages read. Every table and column is described
-- here, by COMMENT ON, and tests/data/test_store.py fails when one is not.
-- Rows are written sorted by city, (class,) cell: a page always filters by city first.

CREATE TABLE study (
    study_id VARCHAR NOT NULL,
    title VARCHAR NOT NULL,
    description VARCHAR NOT NULL,
    is_generated BOOLEAN NOT NULL,
    n_classes UTINYINT NOT NULL,
    label_scope VARCHAR NOT NULL,
    cell_size_m USMALLINT NOT NULL,
    grid_crs VARCHAR NOT NULL,
    architecture VARCHAR NOT NULL,
    head VARCHAR NOT NULL,
    input_px USMALLINT NOT NULL,
    output_stride UTINYINT NOT NULL,
    model_scope VARCHAR NOT NULL,
    fold_scheme VARCHAR NOT NULL,
    n_folds UTINYINT NOT NULL,
    block_m FLOAT NOT NULL,
    seed BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    carreau_version VARCHAR NOT NULL,
    settings_json VARCHAR NOT NULL
);
COMMENT ON TABLE study IS 'The published study: exactly one row.';
COMMENT ON COLUMN study.study_id IS 'Short name of the study, as in its TOML file.';
COMMENT ON COLUMN study.title IS 'Title for people.';
COMMENT ON COLUMN study.description IS 'What the study is, in a sentence or two.';
COMMENT ON COLUMN study.is_generated IS 'True when the cities are invented and drawn by python -m core world.';
COMMENT ON COLUMN study.n_classes IS 'Number K of income classes; 10 = deciles.';
COMMENT ON COLUMN study.label_scope IS 'city: class thresholds inside each city; study: one set for all.';
COMMENT ON COLUMN study.cell_size_m IS 'Side of a census cell in metres.';
COMMENT ON COLUMN study.grid_crs IS 'CRS of the cell grid, as an authority code.';
COMMENT ON COLUMN study.architecture IS 'Network, by its torchvision name.';
COMMENT ON COLUMN study.head IS 'Output head: binomial, softmax, corn or coral.';
COMMENT ON COLUMN study.input_px IS 'Side of the image given to the network for one cell, in pixels.';
COMMENT ON COLUMN study.output_stride IS 'Input pixels per feature-map pixel, 32 or 16.';
COMMENT ON COLUMN study.model_scope IS 'study: one network per fold for all cities; city: one per fold and city.';
COMMENT ON COLUMN study.fold_scheme IS 'block, random or city: how cells were assigned to folds.';
COMMENT ON COLUMN study.n_folds IS 'Number of folds.';
COMMENT ON COLUMN study.block_m IS 'Side of the square blocks of the block folds, in metres; 0 for other schemes.';
COMMENT ON COLUMN study.seed IS 'Seed of folds, training and resampling.';
COMMENT ON COLUMN study.created_at IS 'When the publication was written, UTC.';
COMMENT ON COLUMN study.carreau_version IS 'Version of the program that wrote it.';
COMMENT ON COLUMN study.settings_json IS 'Every setting of the study file, defaults included, as JSON.';

CREATE TABLE city (
    city_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    position USMALLINT NOT NULL,
    recipe VARCHAR,
    oracle_spearman FLOAT,
    object_pixel_share FLOAT,
    planted_codes VARCHAR[],
    boundary BLOB NOT NULL,
    x_min INTEGER NOT NULL,
    y_min INTEGER NOT NULL,
    x_max INTEGER NOT NULL,
    y_max INTEGER NOT NULL,
    n_cells INTEGER NOT NULL,
    n_predicted INTEGER NOT NULL,
    n_imputed INTEGER NOT NULL,
    n_without_income INTEGER NOT NULL,
    n_empty_pixels INTEGER NOT NULL,
    census_year USMALLINT,
    land_use_year USMALLINT,
    imagery_year USMALLINT,
    imagery_resolution_m FLOAT,
    residual_range_m FLOAT
);
COMMENT ON TABLE city IS 'One row a city: outline, counts and dates.';
COMMENT ON COLUMN city.city_id IS 'Short name of the city, used in addresses.';
COMMENT ON COLUMN city.name IS 'Name for people.';
COMMENT ON COLUMN city.position IS 'Order in the study file, from 0.';
COMMENT ON COLUMN city.recipe IS 'Recipe of a generated city (objects, nothing, ...); NULL for a real one.';
COMMENT ON COLUMN city.oracle_spearman IS 'Rank correlation of the true object score with income in a generated city.';
COMMENT ON COLUMN city.object_pixel_share IS 'Share of the photograph that the income-carrying objects cover in a generated city.';
COMMENT ON COLUMN city.planted_codes IS 'Land-use classes whose objects carry income in a generated city.';
COMMENT ON COLUMN city.boundary IS 'Outline as WKB, in the grid CRS.';
COMMENT ON COLUMN city.x_min IS 'West edge of the cells, metres in the grid CRS.';
COMMENT ON COLUMN city.y_min IS 'South edge of the cells, metres in the grid CRS.';
COMMENT ON COLUMN city.x_max IS 'East edge of the cells, metres in the grid CRS.';
COMMENT ON COLUMN city.y_max IS 'North edge of the cells, metres in the grid CRS.';
COMMENT ON COLUMN city.n_cells IS 'Cells with census income inside the outline, imputed ones included.';
COMMENT ON COLUMN city.n_predicted IS 'Cells with a prediction.';
COMMENT ON COLUMN city.n_imputed IS 'Cells whose income is imputed for statistical secrecy.';
COMMENT ON COLUMN city.n_without_income IS 'Census cells without people or income: predicted by the ensemble, never used for training.';
COMMENT ON COLUMN city.n_empty_pixels IS 'Cells left out because more than 1 % of their pixels are empty.';
COMMENT ON COLUMN city.census_year IS 'Vintage of the census.';
COMMENT ON COLUMN city.land_use_year IS 'Reference year of the land use; NULL without land use.';
COMMENT ON COLUMN city.imagery_year IS 'Year of the photograph.';
COMMENT ON COLUMN city.imagery_resolution_m IS 'Ground resolution of the photograph in metres.';
COMMENT ON COLUMN city.residual_range_m IS 'Range of the variogram of the prediction residual, in metres.';

CREATE TABLE threshold (
    city_id VARCHAR NOT NULL,
    includes_imputed BOOLEAN NOT NULL,
    k UTINYINT NOT NULL,
    income FLOAT NOT NULL
);
COMMENT ON TABLE threshold IS 'Income thresholds of the classes: k = 0 .. K, class k holds q(k-1) <= income < q(k).';
COMMENT ON COLUMN threshold.city_id IS 'City.';
COMMENT ON COLUMN threshold.includes_imputed IS 'True: from all cells with income (used for the labels); false: imputed cells left out.';
COMMENT ON COLUMN threshold.k IS 'Threshold number, 0 (minimum) to K (maximum).';
COMMENT ON COLUMN threshold.income IS 'Income per person, euros a year.';

CREATE TABLE model (
    model_id VARCHAR NOT NULL,
    city_id VARCHAR,
    fold UTINYINT NOT NULL,
    file VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL,
    n_train INTEGER NOT NULL,
    n_test INTEGER NOT NULL,
    bias FLOAT NOT NULL,
    z_mean FLOAT NOT NULL,
    z_std FLOAT NOT NULL,
    epochs USMALLINT NOT NULL,
    final_loss FLOAT NOT NULL,
    seconds FLOAT NOT NULL,
    device VARCHAR NOT NULL
);
COMMENT ON TABLE model IS 'The networks, one a fold (and city, when each city has its own).';
COMMENT ON COLUMN model.model_id IS 'Name of the network.';
COMMENT ON COLUMN model.city_id IS 'City it was trained on; NULL when trained on all cities.';
COMMENT ON COLUMN model.fold IS 'Fold whose cells it never saw.';
COMMENT ON COLUMN model.file IS 'Weights file, relative to the folder of the publication.';
COMMENT ON COLUMN model.sha256 IS 'SHA-256 of the weights file.';
COMMENT ON COLUMN model.n_train IS 'Cells it was trained on.';
COMMENT ON COLUMN model.n_test IS 'Cells with income it never saw and predicts.';
COMMENT ON COLUMN model.bias IS 'Bias b of the linear unit.';
COMMENT ON COLUMN model.z_mean IS 'Mean logit over its training cells: the zero of the evidence map.';
COMMENT ON COLUMN model.z_std IS 'Standard deviation of the logit over its training cells.';
COMMENT ON COLUMN model.epochs IS 'Training epochs.';
COMMENT ON COLUMN model.final_loss IS 'Mean cross-entropy of the last epoch.';
COMMENT ON COLUMN model.seconds IS 'Training time in seconds.';
COMMENT ON COLUMN model.device IS 'Device it was trained on.';

CREATE TABLE cell (
    city_id VARCHAR NOT NULL,
    cell_id VARCHAR NOT NULL,
    x INTEGER NOT NULL,
    y INTEGER NOT NULL,
    individuals FLOAT,
    households FLOAT,
    income FLOAT,
    imputed BOOLEAN NOT NULL,
    class UTINYINT,
    fold UTINYINT,
    block INTEGER,
    valid_share FLOAT NOT NULL,
    mapped_share FLOAT
);
COMMENT ON TABLE cell IS 'One row a census cell inside a city.';
COMMENT ON COLUMN cell.city_id IS 'City that holds the centre of the cell.';
COMMENT ON COLUMN cell.cell_id IS 'Official id of the cell, for example CRS3035RES200mN2029800E4253000.';
COMMENT ON COLUMN cell.x IS 'Lower-left corner, metres east in the grid CRS.';
COMMENT ON COLUMN cell.y IS 'Lower-left corner, metres north in the grid CRS.';
COMMENT ON COLUMN cell.individuals IS 'People (Ind).';
COMMENT ON COLUMN cell.households IS 'Households (Men).';
COMMENT ON COLUMN cell.income IS 'Income per person, euros a year: sum of winsorised standard of living / people; NULL without people or value.';
COMMENT ON COLUMN cell.imputed IS 'True when the statistical office imputed the values for secrecy.';
COMMENT ON COLUMN cell.class IS 'Census income class, 1 = poorest; NULL without income.';
COMMENT ON COLUMN cell.fold IS 'Fold of the cell; NULL without income or with empty pixels.';
COMMENT ON COLUMN cell.block IS 'Spatial block of the fold assignment.';
COMMENT ON COLUMN cell.valid_share IS 'Share of the cell that the photograph covers; below 0.99 the cell is not predicted.';
COMMENT ON COLUMN cell.mapped_share IS 'Share of the cell that land use covers; NULL in a study without land use.';

CREATE TABLE prediction (
    city_id VARCHAR NOT NULL,
    cell_id VARCHAR NOT NULL,
    out_of_fold BOOLEAN NOT NULL,
    z FLOAT NOT NULL,
    z_standard FLOAT NOT NULL,
    class UTINYINT NOT NULL,
    expected_class FLOAT NOT NULL,
    entropy FLOAT NOT NULL,
    spread FLOAT,
    probabilities FLOAT[] NOT NULL
);
COMMENT ON TABLE prediction IS 'One row a predicted cell.';
COMMENT ON COLUMN prediction.city_id IS 'City.';
COMMENT ON COLUMN prediction.cell_id IS 'Cell.';
COMMENT ON COLUMN prediction.out_of_fold IS 'True: made by the one network that never saw the cell; false: ensemble of the folds, for cells without census income.';
COMMENT ON COLUMN prediction.z IS 'Logit z (mean of four flips; mean over folds for an ensemble).';
COMMENT ON COLUMN prediction.z_standard IS '(z - mean z over the training cells of the fold) / their standard deviation.';
COMMENT ON COLUMN prediction.class IS 'Predicted class: argmax of the distribution, on the census scale.';
COMMENT ON COLUMN prediction.expected_class IS 'Mean of the class distribution, 1 + (K-1) p under the binomial head.';
COMMENT ON COLUMN prediction.entropy IS 'Entropy of the class distribution divided by log K, 0 to 1.';
COMMENT ON COLUMN prediction.spread IS 'Standard deviation of the expected class over the folds; NULL out of fold.';
COMMENT ON COLUMN prediction.probabilities IS 'Probability of classes 1 .. K.';

CREATE TABLE cell_colour (
    city_id VARCHAR NOT NULL,
    cell_id VARCHAR NOT NULL,
    red FLOAT NOT NULL,
    green FLOAT NOT NULL,
    blue FLOAT NOT NULL,
    red_sd FLOAT NOT NULL,
    green_sd FLOAT NOT NULL,
    blue_sd FLOAT NOT NULL
);
COMMENT ON TABLE cell_colour IS 'Colours of each cell that a network learned from, to say how far another photograph is from them.';
COMMENT ON COLUMN cell_colour.city_id IS 'City.';
COMMENT ON COLUMN cell_colour.cell_id IS 'Cell.';
COMMENT ON COLUMN cell_colour.red IS 'Mean of red over the cell, in grey levels, 0 to 255.';
COMMENT ON COLUMN cell_colour.green IS 'Mean of green.';
COMMENT ON COLUMN cell_colour.blue IS 'Mean of blue.';
COMMENT ON COLUMN cell_colour.red_sd IS 'Standard deviation of red over the pixels of the cell, in grey levels.';
COMMENT ON COLUMN cell_colour.green_sd IS 'Standard deviation of green.';
COMMENT ON COLUMN cell_colour.blue_sd IS 'Standard deviation of blue.';

CREATE TABLE land_use_class (
    level VARCHAR NOT NULL,
    code VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    colour VARCHAR NOT NULL,
    parent VARCHAR
);
COMMENT ON TABLE land_use_class IS 'Urban Atlas classes present in the study, at each level of the hierarchy.';
COMMENT ON COLUMN land_use_class.level IS 'full: official code; 2 and 1: levels of the Urban Atlas hierarchy; paper: merged display classes.';
COMMENT ON COLUMN land_use_class.code IS 'Code of the class.';
COMMENT ON COLUMN land_use_class.name IS 'English name.';
COMMENT ON COLUMN land_use_class.colour IS 'Colour of the Urban Atlas legend, #RRGGBB.';
COMMENT ON COLUMN land_use_class.parent IS 'Class one level up (of a merged class: its group); NULL at level 1.';

CREATE TABLE land_use (
    city_id VARCHAR NOT NULL,
    cell_id VARCHAR NOT NULL,
    code VARCHAR NOT NULL,
    area_m2 FLOAT NOT NULL,
    share FLOAT NOT NULL
);
COMMENT ON TABLE land_use IS 'Area of each land-use class present in a cell.';
COMMENT ON COLUMN land_use.city_id IS 'City.';
COMMENT ON COLUMN land_use.cell_id IS 'Cell.';
COMMENT ON COLUMN land_use.code IS 'Urban Atlas code.';
COMMENT ON COLUMN land_use.area_m2 IS 'Area in the cell, square metres, by fractional coverage; overlaps are split equally.';
COMMENT ON COLUMN land_use.share IS 'Area over the mapped area of the cell.';

CREATE TABLE land_use_polygon (
    city_id VARCHAR NOT NULL,
    code VARCHAR NOT NULL,
    x_min FLOAT NOT NULL,
    y_min FLOAT NOT NULL,
    x_max FLOAT NOT NULL,
    y_max FLOAT NOT NULL,
    geometry BLOB NOT NULL
);
COMMENT ON TABLE land_use_polygon IS 'Land-use polygons of the city, for outlines over the photograph.';
COMMENT ON COLUMN land_use_polygon.city_id IS 'City.';
COMMENT ON COLUMN land_use_polygon.code IS 'Urban Atlas code.';
COMMENT ON COLUMN land_use_polygon.x_min IS 'West end of the polygon, metres in the grid CRS.';
COMMENT ON COLUMN land_use_polygon.y_min IS 'South end of the polygon, metres in the grid CRS.';
COMMENT ON COLUMN land_use_polygon.x_max IS 'East end of the polygon, metres in the grid CRS.';
COMMENT ON COLUMN land_use_polygon.y_max IS 'North end of the polygon, metres in the grid CRS.';
COMMENT ON COLUMN land_use_polygon.geometry IS 'Polygon as WKB in the grid CRS, simplified to half a metre; areas were taken from the original.';

CREATE TABLE activation (
    city_id VARCHAR NOT NULL,
    method VARCHAR NOT NULL,
    code VARCHAR NOT NULL,
    cell_id VARCHAR NOT NULL,
    ratio_rich FLOAT,
    ratio_poor FLOAT,
    maximum_rich FLOAT NOT NULL,
    maximum_poor FLOAT NOT NULL,
    share_rich FLOAT,
    share_poor FLOAT,
    contribution FLOAT,
    excess FLOAT
);
COMMENT ON TABLE activation IS 'Activation map of a cell summed over each land-use class present.';
COMMENT ON COLUMN activation.city_id IS 'City.';
COMMENT ON COLUMN activation.method IS 'Map: cam (signed evidence E) or paper (Grad-CAM x gradient, two maps).';
COMMENT ON COLUMN activation.code IS 'Urban Atlas code.';
COMMENT ON COLUMN activation.cell_id IS 'Cell.';
COMMENT ON COLUMN activation.ratio_rich IS 'Share of the wealthy map in the class over its area share; NULL when the cell has no such activation.';
COMMENT ON COLUMN activation.ratio_poor IS 'The same for the poor map.';
COMMENT ON COLUMN activation.maximum_rich IS 'Largest value of the wealthy map in the class (pixels at least half covered, else the largest touched).';
COMMENT ON COLUMN activation.maximum_poor IS 'The same for the poor map.';
COMMENT ON COLUMN activation.share_rich IS 'Share of the mapped activation of the wealthy map that lies in the class.';
COMMENT ON COLUMN activation.share_poor IS 'The same for the poor map.';
COMMENT ON COLUMN activation.contribution IS 'cam only: part of (z - z_mean) / z_std that the class contributes; adds up over classes and the unmapped rest.';
COMMENT ON COLUMN activation.excess IS 'cam only: mean evidence in the class minus mean evidence in the cell, in training standard deviations of z.';

CREATE TABLE activation_map (
    city_id VARCHAR NOT NULL,
    cell_id VARCHAR NOT NULL,
    method VARCHAR NOT NULL,
    height UTINYINT NOT NULL,
    width UTINYINT NOT NULL,
    map_values BLOB NOT NULL
);
COMMENT ON TABLE activation_map IS 'The activation map of each predicted cell, for the overlay.';
COMMENT ON COLUMN activation_map.city_id IS 'City.';
COMMENT ON COLUMN activation_map.cell_id IS 'Cell.';
COMMENT ON COLUMN activation_map.method IS 'cam: signed evidence in training standard deviations of z.';
COMMENT ON COLUMN activation_map.height IS 'Rows h; row 0 is north.';
COMMENT ON COLUMN activation_map.width IS 'Columns w; column 0 is west.';
COMMENT ON COLUMN activation_map.map_values IS 'h x w little-endian float16 values, row by row.';

CREATE TABLE class_activation (
    city_id VARCHAR NOT NULL,
    level VARCHAR NOT NULL,
    method VARCHAR NOT NULL,
    polarity VARCHAR NOT NULL,
    code VARCHAR NOT NULL,
    estimator VARCHAR NOT NULL,
    value DOUBLE,
    low DOUBLE,
    high DOUBLE,
    standard_error DOUBLE,
    n INTEGER NOT NULL,
    enough BOOLEAN NOT NULL,
    note VARCHAR NOT NULL
);
COMMENT ON TABLE class_activation IS 'Activation ratio of each land-use class over a city.';
COMMENT ON COLUMN class_activation.city_id IS 'City.';
COMMENT ON COLUMN class_activation.level IS 'Level of the land-use hierarchy: full, 2, 1, or paper for merged classes.';
COMMENT ON COLUMN class_activation.method IS 'Map: cam or paper.';
COMMENT ON COLUMN class_activation.polarity IS 'poor: over cells predicted in the lowest 40 % of classes; rich: over the highest 40 %.';
COMMENT ON COLUMN class_activation.code IS 'Class at that level.';
COMMENT ON COLUMN class_activation.estimator IS 'mean: mean of cell ratios where the class is present (paper); pooled: ratio of sums over cells with at least 1 % of it.';
COMMENT ON COLUMN class_activation.value IS 'Activation ratio; 1 = attended in proportion to area.';
COMMENT ON COLUMN class_activation.low IS 'Lower end of the 95 % interval.';
COMMENT ON COLUMN class_activation.high IS 'Upper end of the 95 % interval.';
COMMENT ON COLUMN class_activation.standard_error IS 'Standard error (of the mean over cells, for the paper estimator).';
COMMENT ON COLUMN class_activation.n IS 'Cells used.';
COMMENT ON COLUMN class_activation.enough IS 'False below 30 cells: too few to show.';
COMMENT ON COLUMN class_activation.note IS 'Why an interval or value is missing; else empty.';

CREATE TABLE class_income (
    city_id VARCHAR NOT NULL,
    level VARCHAR NOT NULL,
    polarity VARCHAR NOT NULL,
    code VARCHAR NOT NULL,
    probability DOUBLE,
    low DOUBLE,
    high DOUBLE,
    n INTEGER NOT NULL,
    enough BOOLEAN NOT NULL,
    note VARCHAR NOT NULL
);
COMMENT ON TABLE class_income IS 'Empirical side: probability that a cell is poor or rich given that the class is present.';
COMMENT ON COLUMN class_income.city_id IS 'City.';
COMMENT ON COLUMN class_income.level IS 'Level of the land-use hierarchy: full, 2, 1, or paper for merged classes.';
COMMENT ON COLUMN class_income.polarity IS 'poor: census class in the lowest 40 %; rich: in the highest 40 %.';
COMMENT ON COLUMN class_income.code IS 'Class at that level.';
COMMENT ON COLUMN class_income.probability IS 'Share of the cells where the class is present.';
COMMENT ON COLUMN class_income.low IS 'Lower end of the 95 % interval.';
COMMENT ON COLUMN class_income.high IS 'Upper end of the 95 % interval.';
COMMENT ON COLUMN class_income.n IS 'Cells where the class is present.';
COMMENT ON COLUMN class_income.enough IS 'False below 30 cells: too few to show.';
COMMENT ON COLUMN class_income.note IS 'Why an interval or value is missing; else empty.';

CREATE TABLE correlation (
    city_id VARCHAR NOT NULL,
    level VARCHAR NOT NULL,
    relation VARCHAR NOT NULL,
    method VARCHAR NOT NULL,
    coefficient VARCHAR NOT NULL,
    includes_imputed BOOLEAN NOT NULL,
    code VARCHAR NOT NULL,
    value DOUBLE,
    low DOUBLE,
    high DOUBLE,
    p_value DOUBLE,
    p_naive DOUBLE,
    q_value DOUBLE,
    n INTEGER NOT NULL,
    n_present INTEGER NOT NULL,
    n_effective DOUBLE,
    null_torus DOUBLE,
    null_other DOUBLE,
    enough BOOLEAN NOT NULL,
    note VARCHAR NOT NULL
);
COMMENT ON TABLE correlation IS 'Correlation of each land-use class with income, prediction or activation, per city.';
COMMENT ON COLUMN correlation.city_id IS 'City.';
COMMENT ON COLUMN correlation.level IS 'Level of the land-use hierarchy: full, 2, 1, or paper for merged classes.';
COMMENT ON COLUMN correlation.relation IS 'census: (i) area share with census class; prediction: (ii) area share with predicted class; activation: (iii) excess with predicted class where the class is present; occlusion: (iv) occlusion effect less that of moved masks, with predicted class, full codes only.';
COMMENT ON COLUMN correlation.method IS 'Map of relation (iii); class for (iv); empty for (i) and (ii).';
COMMENT ON COLUMN correlation.coefficient IS 'spearman, pearson or kendall.';
COMMENT ON COLUMN correlation.includes_imputed IS 'Whether cells with imputed income take part.';
COMMENT ON COLUMN correlation.code IS 'Class at that level.';
COMMENT ON COLUMN correlation.value IS 'Coefficient; for (iii) as measured, before a null is taken off.';
COMMENT ON COLUMN correlation.low IS 'Lower end of the 95 % interval, corrected for spatial autocorrelation.';
COMMENT ON COLUMN correlation.high IS 'Upper end of the 95 % interval, corrected for spatial autocorrelation.';
COMMENT ON COLUMN correlation.p_value IS 'Two-sided p-value, corrected for spatial autocorrelation (effective sample size).';
COMMENT ON COLUMN correlation.p_naive IS 'p-value as if cells were independent; only to be shown beside the corrected one.';
COMMENT ON COLUMN correlation.q_value IS 'p-value after false-discovery control over the classes of the city (Benjamini-Yekutieli).';
COMMENT ON COLUMN correlation.n IS 'Cells used.';
COMMENT ON COLUMN correlation.n_present IS 'Cells where the class is present.';
COMMENT ON COLUMN correlation.n_effective IS 'Effective number of independent cells.';
COMMENT ON COLUMN correlation.null_torus IS '(iii) only: mean coefficient when the map is moved on the torus within its cell.';
COMMENT ON COLUMN correlation.null_other IS '(iii) only: mean coefficient under the map of another cell of the same fold and predicted class.';
COMMENT ON COLUMN correlation.enough IS 'False below 30 cells with the class or an effective size below 10.';
COMMENT ON COLUMN correlation.note IS 'Why an interval or value is missing; else empty.';

CREATE TABLE class_pull (
    city_id VARCHAR NOT NULL,
    level VARCHAR NOT NULL,
    relation VARCHAR NOT NULL,
    method VARCHAR NOT NULL,
    includes_imputed BOOLEAN NOT NULL,
    code VARCHAR NOT NULL,
    value DOUBLE,
    low DOUBLE,
    high DOUBLE,
    null_torus DOUBLE,
    null_other DOUBLE,
    n_present INTEGER NOT NULL,
    enough BOOLEAN NOT NULL,
    note VARCHAR NOT NULL
);
COMMENT ON TABLE class_pull IS 'Which way and how far what the network sees on a class moves z: mean excess or occlusion effect by area, times the standard deviation of the class''s share.';
COMMENT ON COLUMN class_pull.city_id IS 'City.';
COMMENT ON COLUMN class_pull.level IS 'Level of the land-use hierarchy: full, paper, 2 or 1.';
COMMENT ON COLUMN class_pull.relation IS 'activation: by the excess of the map; occlusion: by the effect beyond that of moved masks.';
COMMENT ON COLUMN class_pull.method IS 'Map of activation; class for occlusion.';
COMMENT ON COLUMN class_pull.includes_imputed IS 'Whether cells with imputed income take part.';
COMMENT ON COLUMN class_pull.code IS 'Code of the class at its level.';
COMMENT ON COLUMN class_pull.value IS 'Pull, in training standard deviations of z for one standard deviation of the share.';
COMMENT ON COLUMN class_pull.low IS 'Lower end of the 95 % interval (blocks of cells).';
COMMENT ON COLUMN class_pull.high IS 'Upper end of that interval.';
COMMENT ON COLUMN class_pull.null_torus IS 'Mean pull with the map moved on the torus within each cell; activation only.';
COMMENT ON COLUMN class_pull.null_other IS 'Mean pull with the map of another cell of the same fold and predicted class; activation only.';
COMMENT ON COLUMN class_pull.n_present IS 'Cells with the class.';
COMMENT ON COLUMN class_pull.enough IS 'False below 30 cells with the class.';
COMMENT ON COLUMN class_pull.note IS 'Why an interval is missing; else empty.';

CREATE TABLE class_pair (
    city_id VARCHAR NOT NULL,
    level VARCHAR NOT NULL,
    method VARCHAR NOT NULL,
    polarity VARCHAR NOT NULL,
    code VARCHAR NOT NULL,
    with_code VARCHAR NOT NULL,
    co_activation DOUBLE,
    gain DOUBLE,
    n INTEGER NOT NULL,
    probability DOUBLE,
    income_gain DOUBLE,
    n_income INTEGER NOT NULL
);
COMMENT ON TABLE class_pair IS 'Pairs of land-use classes: activation of one where the other is present too, and income there.';
COMMENT ON COLUMN class_pair.city_id IS 'City.';
COMMENT ON COLUMN class_pair.level IS 'Level of the land-use hierarchy: full, 2, 1, or paper for merged classes.';
COMMENT ON COLUMN class_pair.method IS 'Map: cam or paper.';
COMMENT ON COLUMN class_pair.polarity IS 'poor: cells predicted (for income: counted) in the lowest 40 % of classes; rich: in the highest 40 %.';
COMMENT ON COLUMN class_pair.code IS 'Class A at that level.';
COMMENT ON COLUMN class_pair.with_code IS 'Class B at that level.';
COMMENT ON COLUMN class_pair.co_activation IS 'Mean activation ratio of A where B is present too; NULL under 30 cells.';
COMMENT ON COLUMN class_pair.gain IS 'co_activation over the mean activation ratio of A.';
COMMENT ON COLUMN class_pair.n IS 'Cells behind co_activation.';
COMMENT ON COLUMN class_pair.probability IS 'Share of the cells with A and B that are poor (rich) by the census; NULL under 30 cells.';
COMMENT ON COLUMN class_pair.income_gain IS 'probability over that of the cells with A.';
COMMENT ON COLUMN class_pair.n_income IS 'Cells behind probability.';

CREATE TABLE occlusion (
    city_id VARCHAR NOT NULL,
    code VARCHAR NOT NULL,
    cell_id VARCHAR NOT NULL,
    effect FLOAT NOT NULL,
    moved_effect FLOAT NOT NULL
);
COMMENT ON TABLE occlusion IS 'Class occlusion: how z changes when the pixels of a land-use class in a cell are painted over.';
COMMENT ON COLUMN occlusion.city_id IS 'City.';
COMMENT ON COLUMN occlusion.code IS 'Urban Atlas code.';
COMMENT ON COLUMN occlusion.cell_id IS 'Cell; out-of-fold cells in which the class has at least the area share set in the study.';
COMMENT ON COLUMN occlusion.effect IS 'z minus z with the class painted over, in training standard deviations of z.';
COMMENT ON COLUMN occlusion.moved_effect IS 'Mean of the same for masks of the same shape moved on the torus in the cell.';

CREATE TABLE reliance (
    city_id VARCHAR NOT NULL,
    includes_imputed BOOLEAN NOT NULL,
    code VARCHAR NOT NULL,
    value DOUBLE,
    low DOUBLE,
    high DOUBLE,
    p_value DOUBLE,
    q_value DOUBLE,
    n INTEGER NOT NULL,
    n_present INTEGER NOT NULL,
    n_effective DOUBLE,
    enough BOOLEAN NOT NULL,
    note VARCHAR NOT NULL
);
COMMENT ON TABLE reliance IS 'Reliance on each land-use class: rank correlation of z with income that is lost when the class is painted over.';
COMMENT ON COLUMN reliance.city_id IS 'City.';
COMMENT ON COLUMN reliance.includes_imputed IS 'Whether cells with imputed income take part.';
COMMENT ON COLUMN reliance.code IS 'Urban Atlas code.';
COMMENT ON COLUMN reliance.value IS 'Cell-weighted mean over folds of the loss of rank correlation.';
COMMENT ON COLUMN reliance.low IS 'Lower end of the 95 % interval, corrected for spatial autocorrelation.';
COMMENT ON COLUMN reliance.high IS 'Upper end of that interval.';
COMMENT ON COLUMN reliance.p_value IS 'Two-sided p-value, corrected for spatial autocorrelation.';
COMMENT ON COLUMN reliance.q_value IS 'p-value after false-discovery control over the classes of the city (Benjamini-Yekutieli).';
COMMENT ON COLUMN reliance.n IS 'Cells used.';
COMMENT ON COLUMN reliance.n_present IS 'Cells in which the class was painted over.';
COMMENT ON COLUMN reliance.n_effective IS 'Effective number of independent cells.';
COMMENT ON COLUMN reliance.enough IS 'False below 30 cells with the class or an effective size below 10.';
COMMENT ON COLUMN reliance.note IS 'Why an interval or value is missing; else empty.';

CREATE TABLE follow_index (
    city_id VARCHAR NOT NULL,
    level VARCHAR NOT NULL,
    relation VARCHAR NOT NULL,
    method VARCHAR NOT NULL,
    null_model VARCHAR NOT NULL,
    includes_imputed BOOLEAN NOT NULL,
    value DOUBLE,
    low DOUBLE,
    high DOUBLE,
    verdict VARCHAR NOT NULL,
    n_classes INTEGER NOT NULL,
    n_blocks INTEGER NOT NULL,
    note VARCHAR NOT NULL
);
COMMENT ON TABLE follow_index IS 'Does the network follow how land use goes with income? Weighted correlation across classes of relation (i) with the pull of each class.';
COMMENT ON COLUMN follow_index.city_id IS 'City.';
COMMENT ON COLUMN follow_index.level IS 'Level of the land-use hierarchy: full, or paper for merged classes.';
COMMENT ON COLUMN follow_index.relation IS 'What (i) is compared with: the pull by activation or by occlusion.';
COMMENT ON COLUMN follow_index.method IS 'Map of activation; class for occlusion.';
COMMENT ON COLUMN follow_index.null_model IS 'Null taken off: torus, other (map of another cell of the same fold and predicted class) or moved masks.';
COMMENT ON COLUMN follow_index.includes_imputed IS 'Whether cells with imputed income take part.';
COMMENT ON COLUMN follow_index.value IS 'Index, -1 to 1.';
COMMENT ON COLUMN follow_index.low IS 'Lower end of the 95 % interval (joint block bootstrap of cells).';
COMMENT ON COLUMN follow_index.high IS 'Upper end of that interval.';
COMMENT ON COLUMN follow_index.verdict IS 'follows, disregards or cannot tell, against what generated mix cities reach.';
COMMENT ON COLUMN follow_index.n_classes IS 'Classes that take part.';
COMMENT ON COLUMN follow_index.n_blocks IS 'Blocks of the bootstrap.';
COMMENT ON COLUMN follow_index.note IS 'Size of the blocks, or why an index or interval is missing.';

CREATE TABLE map_agreement (
    city_id VARCHAR NOT NULL,
    method VARCHAR NOT NULL,
    value DOUBLE,
    low DOUBLE,
    high DOUBLE,
    n INTEGER NOT NULL,
    note VARCHAR NOT NULL
);
COMMENT ON TABLE map_agreement IS 'Agreement of an activation map with class occlusion, over cells and land-use classes.';
COMMENT ON COLUMN map_agreement.city_id IS 'City.';
COMMENT ON COLUMN map_agreement.method IS 'Map: cam or paper.';
COMMENT ON COLUMN map_agreement.value IS 'Spearman correlation of attention to a class in a cell with the occlusion effect by area, beyond that of moved masks.';
COMMENT ON COLUMN map_agreement.low IS 'Lower end of the 95 % interval.';
COMMENT ON COLUMN map_agreement.high IS 'Upper end of the 95 % interval.';
COMMENT ON COLUMN map_agreement.n IS 'Pairs of cell and class.';
COMMENT ON COLUMN map_agreement.note IS 'What limits the interval; else empty.';

CREATE TABLE trust_check (
    model_id VARCHAR NOT NULL,
    check_name VARCHAR NOT NULL,
    method VARCHAR NOT NULL,
    variant VARCHAR NOT NULL,
    position DOUBLE,
    value DOUBLE,
    n INTEGER NOT NULL
);
COMMENT ON TABLE trust_check IS 'Checks of the maps of each network, on held-out cells.';
COMMENT ON COLUMN trust_check.model_id IS 'Network.';
COMMENT ON COLUMN trust_check.check_name IS 'cascade, label_shuffle, other_fold, deletion or insertion.';
COMMENT ON COLUMN trust_check.method IS 'Map (cam, paper) or, of deletion and insertion, a baseline: random, area_uniform, blurred, edge.';
COMMENT ON COLUMN trust_check.variant IS 'Layer down to which weights were drawn anew (cascade); else empty.';
COMMENT ON COLUMN trust_check.position IS 'Share of the parameters drawn anew (cascade).';
COMMENT ON COLUMN trust_check.value IS 'Likeness of maps, 0 to 1 (mean size of the rank correlation); for deletion and insertion the area under the curve.';
COMMENT ON COLUMN trust_check.n IS 'Cells.';

CREATE TABLE agreement (
    city_id VARCHAR,
    measure VARCHAR NOT NULL,
    scope VARCHAR NOT NULL,
    includes_imputed BOOLEAN NOT NULL,
    value DOUBLE,
    low DOUBLE,
    high DOUBLE,
    null_low DOUBLE,
    null_high DOUBLE,
    n INTEGER NOT NULL,
    n_blocks INTEGER NOT NULL,
    note VARCHAR NOT NULL
);
COMMENT ON TABLE agreement IS 'How well out-of-fold predictions agree with the census.';
COMMENT ON COLUMN agreement.city_id IS 'City; NULL for the whole study.';
COMMENT ON COLUMN agreement.measure IS 'Name of the measure, for example accuracy or spearman.';
COMMENT ON COLUMN agreement.scope IS 'within_fold: cell-weighted mean of the values inside each fold (headline); pooled: all folds in one.';
COMMENT ON COLUMN agreement.includes_imputed IS 'Whether cells with imputed income take part; the headline leaves them out.';
COMMENT ON COLUMN agreement.value IS 'Value.';
COMMENT ON COLUMN agreement.low IS 'Lower end of the 95 % interval: block bootstrap; for rank and linear correlations Fisher with the effective sample size.';
COMMENT ON COLUMN agreement.high IS 'Upper end of that interval.';
COMMENT ON COLUMN agreement.null_low IS 'Lower end of the band that re-simulated incomes, unrelated to the predictions, would give (95 %).';
COMMENT ON COLUMN agreement.null_high IS 'Upper end of that band.';
COMMENT ON COLUMN agreement.n IS 'Cells used.';
COMMENT ON COLUMN agreement.n_blocks IS 'Blocks of the bootstrap; 0 where none are drawn (correlations).';
COMMENT ON COLUMN agreement.note IS 'What limits the figure (too few blocks, a fold without a class); else empty.';

CREATE TABLE confusion (
    city_id VARCHAR NOT NULL,
    includes_imputed BOOLEAN NOT NULL,
    census_class UTINYINT NOT NULL,
    predicted_class UTINYINT NOT NULL,
    n INTEGER NOT NULL
);
COMMENT ON TABLE confusion IS 'Confusion matrix of census and out-of-fold predicted classes; zero counts included.';
COMMENT ON COLUMN confusion.city_id IS 'City.';
COMMENT ON COLUMN confusion.includes_imputed IS 'Whether cells with imputed income take part.';
COMMENT ON COLUMN confusion.census_class IS 'Census class.';
COMMENT ON COLUMN confusion.predicted_class IS 'Predicted class.';
COMMENT ON COLUMN confusion.n IS 'Cells.';

CREATE TABLE calibration (
    city_id VARCHAR NOT NULL,
    includes_imputed BOOLEAN NOT NULL,
    bin UTINYINT NOT NULL,
    probability DOUBLE NOT NULL,
    frequency DOUBLE NOT NULL,
    low DOUBLE,
    high DOUBLE,
    n INTEGER NOT NULL
);
COMMENT ON TABLE calibration IS 'Stated against observed frequency, over all cell and class pairs, in bins of the stated probability.';
COMMENT ON COLUMN calibration.city_id IS 'City.';
COMMENT ON COLUMN calibration.includes_imputed IS 'Whether cells with imputed income take part.';
COMMENT ON COLUMN calibration.bin IS 'Bin of the stated probability, from 0.';
COMMENT ON COLUMN calibration.probability IS 'Mean stated probability in the bin.';
COMMENT ON COLUMN calibration.frequency IS 'Share of the pairs in which the class was the census class.';
COMMENT ON COLUMN calibration.low IS 'Lower end of the 95 % interval (block bootstrap; NULL with too few blocks).';
COMMENT ON COLUMN calibration.high IS 'Upper end of the 95 % interval.';
COMMENT ON COLUMN calibration.n IS 'Pairs of cell and class in the bin.';

CREATE TABLE provenance (
    city_id VARCHAR,
    kind VARCHAR NOT NULL,
    file VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL,
    bytes BIGINT NOT NULL,
    source VARCHAR NOT NULL,
    licence VARCHAR NOT NULL,
    vintage VARCHAR NOT NULL,
    crs VARCHAR NOT NULL
);
COMMENT ON TABLE provenance IS 'Every file that went into the study.';
COMMENT ON COLUMN provenance.city_id IS 'City; NULL for files of the whole study.';
COMMENT ON COLUMN provenance.kind IS 'study, census, land_use, imagery or districts.';
COMMENT ON COLUMN provenance.file IS 'File, relative to the study file.';
COMMENT ON COLUMN provenance.sha256 IS 'SHA-256 of the file.';
COMMENT ON COLUMN provenance.bytes IS 'Size in bytes.';
COMMENT ON COLUMN provenance.source IS 'Who made it, as the study file says.';
COMMENT ON COLUMN provenance.licence IS 'Licence, as the study file says.';
COMMENT ON COLUMN provenance.vintage IS 'Year or date of what it shows.';
COMMENT ON COLUMN provenance.crs IS 'CRS of the file; empty for tables.';

CREATE TABLE local_moran (
    city_id VARCHAR NOT NULL,
    cell_id VARCHAR NOT NULL,
    includes_imputed BOOLEAN NOT NULL,
    value FLOAT NOT NULL,
    residual FLOAT NOT NULL,
    around FLOAT NOT NULL,
    p_value FLOAT NOT NULL,
    q_value FLOAT NOT NULL
);
COMMENT ON TABLE local_moran IS 'Where errors cluster: local Moran''s I of the residuals, one row a compared cell with neighbours.';
COMMENT ON COLUMN local_moran.city_id IS 'City.';
COMMENT ON COLUMN local_moran.cell_id IS 'Cell.';
COMMENT ON COLUMN local_moran.includes_imputed IS 'True: cells with imputed income count, too.';
COMMENT ON COLUMN local_moran.value IS 'Local Moran''s I (Anselin 1995), queen neighbours: standardised residual times its neighbours'' mean.';
COMMENT ON COLUMN local_moran.residual IS 'Standardised residual of the cell: expected class less census class; positive: predicted too rich.';
COMMENT ON COLUMN local_moran.around IS 'Mean standardised residual of its neighbours.';
COMMENT ON COLUMN local_moran.p_value IS 'Two-sided, conditional permutation of the other cells.';
COMMENT ON COLUMN local_moran.q_value IS 'Benjamini-Hochberg over the cells of the city.';

CREATE TABLE cell_feature (
    city_id VARCHAR NOT NULL,
    cell_id VARCHAR NOT NULL,
    model_id VARCHAR NOT NULL,
    feature FLOAT[] NOT NULL
);
COMMENT ON TABLE cell_feature IS 'What the network that never saw a cell makes of it; only features of one network can be compared.';
COMMENT ON COLUMN cell_feature.city_id IS 'City.';
COMMENT ON COLUMN cell_feature.cell_id IS 'Cell.';
COMMENT ON COLUMN cell_feature.model_id IS 'Network (table model) that the features are of.';
COMMENT ON COLUMN cell_feature.feature IS 'Its pooled last features, centred, turned to their main axes (PCA of that network''s cells), of length 1: the inner product of two is their likeness.';

CREATE TABLE district (
    city_id VARCHAR NOT NULL,
    district_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL
);
COMMENT ON TABLE district IS 'Districts of a city (communes, wards ...), where the study names a file of them.';
COMMENT ON COLUMN district.city_id IS 'City.';
COMMENT ON COLUMN district.district_id IS 'Id of the district, as in its file.';
COMMENT ON COLUMN district.name IS 'Name of the district.';

CREATE TABLE cell_district (
    city_id VARCHAR NOT NULL,
    cell_id VARCHAR NOT NULL,
    district_id VARCHAR NOT NULL
);
COMMENT ON TABLE cell_district IS 'District that holds the centre of a cell; cells in none have no row.';
COMMENT ON COLUMN cell_district.city_id IS 'City.';
COMMENT ON COLUMN cell_district.cell_id IS 'Cell.';
COMMENT ON COLUMN cell_district.district_id IS 'District.';
