/** Models of a given shape in XGBoost's file format, and rows from the distribution of their thresholds. */

export interface Shape {
  readonly name: string;
  readonly trees: number;
  readonly depth: number;
  readonly booleans: number;
  readonly categories: number;
  readonly numbers: number;
  /** Value of a feature at a quantile from 0 to 1; default {@link quantile}. */
  readonly valueAt?: (feature: number, at: number) => number;
}

/** The reference model's shape: 1400 trees of depth 6 over 85 features. */
export const REFERENCE: Shape = { name: "reference", trees: 1400, depth: 6, booleans: 3, categories: 22, numbers: 60 };
export const SMALL: Shape = { name: "small", trees: 200, depth: 4, booleans: 1, categories: 3, numbers: 8 };

export const featureCount = ({ booleans, categories, numbers }: Shape): number => booleans + categories + numbers;

/** XGBoost's histograms have 256 bins by default, so a feature has at most 255 thresholds. */
const THRESHOLDS = 255;
/** Share of nodes above full depth that stay leaves; gives the reference model's 168,000 nodes. */
const EARLY_LEAVES = 0.012;
const MISSING = 0.05;

/** mulberry32. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Number of values of a categorical feature: 3 to 59. */
export const categoriesOf = (feature: number): number => 3 + ((feature * 7) % 57);

/** A value of a feature at a quantile from 0 to 1. */
function quantile({ booleans, categories, valueAt }: Shape, feature: number, at: number): number {
  if (valueAt !== undefined) return valueAt(feature, at);
  if (feature < booleans) return at < 0.7 ? 0 : 1;
  if (feature < booleans + categories) return Math.floor(at * categoriesOf(feature));
  // Of the logistic distribution, which is close to a normal one and easily inverted.
  return Math.fround(Math.log(Math.max(at, 1e-6) / Math.max(1 - at, 1e-6)));
}

export function rowsOf(shape: Shape, count: number): Float32Array {
  const next = random(2);
  return Float32Array.from({ length: count * featureCount(shape) }, (_, index) =>
    next() < MISSING ? Number.NaN : quantile(shape, index % featureCount(shape), next()),
  );
}

const TREES_HERE = "(the trees)";

/** The model as XGBoost would save it as JSON. */
export function modelOf(shape: Shape): string {
  const next = random(1);
  const trees = Array.from({ length: shape.trees }, (_, id) => treeOf(shape, id, next));
  const model = {
    learner: {
      attributes: {},
      feature_names: [],
      feature_types: [],
      gradient_booster: {
        model: {
          gbtree_model_param: { num_parallel_tree: "1", num_trees: String(trees.length) },
          iteration_indptr: Array.from({ length: trees.length + 1 }, (_, index) => index),
          tree_info: trees.map(() => 0),
          trees: TREES_HERE,
        },
        name: "gbtree",
      },
      learner_model_param: {
        base_score: "2.5E1",
        boost_from_average: "1",
        num_class: "0",
        num_feature: String(featureCount(shape)),
        num_target: "1",
      },
      objective: { name: "reg:squarederror", reg_loss_param: { scale_pos_weight: "1" } },
    },
    version: [2, 1, 4],
  };
  return JSON.stringify(model).replace(`"${TREES_HERE}"`, `[${trees.join(",")}]`);
}

function treeOf(shape: Shape, id: number, next: () => number): string {
  const left: number[] = [];
  const right: number[] = [];
  const parents: number[] = [];
  const features: number[] = [];
  const conditions: number[] = [];
  const defaults: number[] = [];
  const queue = [{ node: 0, parent: 2147483647, level: 0 }];
  let free = 1;
  for (const { node, parent, level } of queue) {
    const isLeaf = level === shape.depth || (level > 1 && next() < EARLY_LEAVES);
    const feature = Math.floor(next() * featureCount(shape));
    const step = 1 + Math.floor(next() * THRESHOLDS);
    parents[node] = parent;
    left[node] = isLeaf ? -1 : free;
    right[node] = isLeaf ? -1 : free + 1;
    features[node] = isLeaf ? 0 : feature;
    conditions[node] = isLeaf ? Math.fround(next() - 0.5) : quantile(shape, feature, step / (THRESHOLDS + 1));
    defaults[node] = next() < 0.5 ? 1 : 0;
    if (isLeaf) continue;
    queue.push({ node: free, parent: node, level: level + 1 }, { node: free + 1, parent: node, level: level + 1 });
    free += 2;
  }
  const rest = {
    categories: [],
    categories_nodes: [],
    categories_segments: [],
    categories_sizes: [],
    default_left: defaults,
    id,
    left_children: left,
    parents,
    right_children: right,
    split_indices: features,
    split_type: left.map(() => 0),
    tree_param: { num_deleted: "0", num_feature: String(featureCount(shape)), num_nodes: String(free), size_leaf_vector: "1" },
  };
  const fractions = {
    base_weights: conditions,
    loss_changes: left.map(() => 0),
    split_conditions: conditions,
    sum_hessian: left.map(() => 1),
  };
  // XGBoost reads a number without a point or exponent as an integer, and refuses it here.
  const text = Object.entries(fractions).map(
    ([name, values]) => `"${name}":[${values.map((value) => value.toExponential()).join(",")}]`,
  );
  return `${JSON.stringify(rest).slice(0, -1)},${text.join(",")}}`;
}
