// An expression as a network of nodes: edges that read a byte, edges that read nothing, and calls
// of rules, which return to a node.

/** An edge that reads a byte from `low` to `high`. */
export interface ByteEdge {
  low: number;
  high: number;
  to: number;
}

/** Enters a rule, and continues at `back` when the rule ends. */
export interface Call {
  rule: number;
  back: number;
  /** Nothing but the end of the calling rule follows, so that there is nothing to return to. */
  tail: boolean;
}

export interface NetworkNode {
  bytes: ByteEdge[];
  free: number[];
  calls: Call[];
  /**
   * A node from which the next `horizon` bytes may be the same: that of an earlier repetition of a
   * counted part. Itself if there is none.
   */
  twin: number;
  /** The rule that ends here; -1: none. */
  ends: number;
}

export interface NetworkRule {
  name: string;
  start: number;
  end: number;
}

/** The first rule is the whole. From every node, an end can be reached. */
export interface Network {
  nodes: NetworkNode[];
  rules: NetworkRule[];
}
