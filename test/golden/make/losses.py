"""Writes the expected values into losses.json, from the inputs that it holds: in float64, by the
formulas of the papers (docs/papers.md names them), natural logarithms, means over the batch.

d is the difference of the policy's and the reference's log-ratios, chosen less rejected.
"""

import math

import numpy as np
from golden import GOLDEN, read_json, write_json


def softplus(x):
    return np.logaddexp(0, x)


def log_sigmoid(x):
    return -softplus(-x)


def sigmoid(x):
    return np.exp(log_sigmoid(x))


def offline(given):
    g = {key: np.array(value, dtype=float) for key, value in given.items()}
    beta, smoothing = given["beta"], given["label_smoothing"]
    chosen, rejected = g["policy_chosen"], g["policy_rejected"]
    tokens_chosen, tokens_rejected = g["tokens_chosen"], g["tokens_rejected"]
    # log(policy / reference) of each answer.
    ratio_chosen, ratio_rejected = chosen - g["ref_chosen"], rejected - g["ref_rejected"]
    d = ratio_chosen - ratio_rejected
    half = 1 / (2 * beta)
    averaged = ratio_chosen / tokens_chosen - ratio_rejected / tokens_rejected
    rewards_chosen, rewards_rejected = beta * ratio_chosen, beta * ratio_rejected
    mean_chosen, mean_rejected = chosen / tokens_chosen, rejected / tokens_rejected
    nll = -chosen.sum() / tokens_chosen.sum()  # a mean over the tokens of all chosen answers

    def smoothed(x, e):
        return -(1 - e) * log_sigmoid(x) - e * log_sigmoid(-x)

    def exo():
        # The reverse KL of the policy's preference from labels of 1 - e and e.
        e = max(smoothing, 1e-3)
        p, log_p, log_q = sigmoid(beta * d), log_sigmoid(beta * d), log_sigmoid(-beta * d)
        return p * (log_p - math.log(1 - e)) + (1 - p) * (log_q - math.log(e))

    def nca():
        repulsion = 0.5 * softplus(rewards_chosen) + 0.5 * softplus(rewards_rejected)
        return -log_sigmoid(rewards_chosen) + repulsion

    def discopop():
        x, tau = beta * d, 0.05
        modulation = sigmoid(x / tau)
        return -log_sigmoid(x) * (1 - modulation) + np.exp(-x) * modulation

    def aot(one, other):
        # Both sides sorted by themselves: the order of quantiles.
        return smoothed(beta * (np.sort(one) - np.sort(other)), smoothing)

    def log_odds(mean):
        return mean - np.log1p(-np.exp(mean))

    def orpo():
        return nll - beta * log_sigmoid(log_odds(mean_chosen) - log_odds(mean_rejected))

    def cal_dpo():
        return -log_sigmoid(d) + (ratio_chosen - half) ** 2 + (ratio_rejected + half) ** 2

    def kto():
        kl = given["kto_kl"]
        desirable = 1 - sigmoid(beta * (ratio_chosen - kl))
        undesirable = 1 - sigmoid(beta * (kl - ratio_rejected))
        return np.concatenate([desirable, undesirable])

    simpo = given["simpo_beta"] * (mean_chosen - mean_rejected) - given["simpo_gamma"]
    lost = np.maximum(0, -ratio_chosen)
    values = {
        "sigmoid": -log_sigmoid(beta * d),
        "conservative (cDPO)": smoothed(beta * d, smoothing),
        "robust": (-(1 - smoothing) * log_sigmoid(beta * d) + smoothing * log_sigmoid(-beta * d))
        / (1 - 2 * smoothing),
        "hinge (SLiC, reference-normalised)": np.maximum(0, 1 - beta * d),
        "ipo (summed log-ratios)": (d - half) ** 2,
        "ipo (averaged log-ratios)": (averaged - half) ** 2,
        "sigmoid_norm": -log_sigmoid(beta * averaged),
        "exo_pair (label smoothing max(e, 1e-3))": exo(),
        "nca_pair": nca(),
        "bco_pair (delta 0)": -log_sigmoid(rewards_chosen) - log_sigmoid(-rewards_rejected),
        "sppo_hard": (ratio_chosen - half) ** 2 + (ratio_rejected + half) ** 2,
        "apo_zero": 1 - sigmoid(rewards_chosen) + sigmoid(rewards_rejected),
        "apo_down": sigmoid(rewards_chosen) + 1 - sigmoid(beta * d),
        "discopop (tau 0.05)": discopop(),
        "aot (paired)": aot(chosen - rejected, g["ref_chosen"] - g["ref_rejected"]),
        "aot_unpaired": aot(ratio_chosen, ratio_rejected),
        "simpo (average log-probs; beta=simpo_beta, margin gamma)": -log_sigmoid(simpo),
        "cpo (sigmoid preference term + NLL of chosen, alpha 1)": -log_sigmoid(
            beta * (chosen - rejected)
        )
        + nll,
        "orpo (token-mean NLL of chosen - beta log sigmoid log-odds)": orpo(),
        "slic (margin delta on log-probs, no regulariser)": np.maximum(
            0, given["slic_delta"] - chosen + rejected
        ),
        "odpo (offset alpha*log(score gap))": -log_sigmoid(
            beta * d - given["odpo_alpha"] * np.log(g["score_gap"])
        ),
        "dpop / dpo-positive (lambda max(0, ref-policy) on chosen inside)": -log_sigmoid(
            beta * (d - given["dpop_lambda"] * lost)
        ),
        "cal-dpo": cal_dpo(),
        "rebel (1/eta (d) regressed on reward gap)": (d / given["rebel_eta"] - g["score_gap"]) ** 2,
        "r-dpo (length penalty alpha (len_chosen-len_rejected))": -log_sigmoid(
            beta * d - given["rdpo_alpha"] * (tokens_chosen - tokens_rejected)
        ),
        "kto (chosen desirable, rejected undesirable, kl given)": kto(),
    }
    return {name: float(np.mean(value)) for name, value in values.items()} | {
        "implicit rewards chosen": rewards_chosen.tolist(),
        "implicit rewards rejected": rewards_rejected.tolist(),
        "accuracy": float(np.mean(rewards_chosen > rewards_rejected)),
    }


def gae(entry):
    """Backwards over the scored tokens; nothing follows the last one."""
    rewards, values, mask = (entry[key] for key in ("rewards", "values", "mask"))
    advantages, following, last = [0.0] * len(rewards), 0.0, 0.0
    for t in reversed(range(sum(mask))):
        delta = rewards[t] + entry["gamma"] * following - values[t]
        last = delta + entry["gamma"] * entry["lam"] * last
        advantages[t], following = last, values[t]
    returns = [a + v if scored else 0.0 for a, v, scored in zip(advantages, values, mask)]
    return {"advantages": advantages, "returns": returns}


def group_advantages(entry):
    rewards = np.array(entry["rewards"])
    centred = rewards - rewards.mean()
    others = (rewards.sum() - rewards) / (len(rewards) - 1)
    return {
        "grpo": (centred / (rewards.std(ddof=1) + entry["grpo_std_epsilon"])).tolist(),
        "dr_grpo": centred.tolist(),
        "rloo": (rewards - others).tolist(),
    }


def ppo_clip(entry):
    log_ratio, advantages = np.array(entry["log_ratio"]), np.array(entry["advantages"])
    ratio, epsilon = np.exp(log_ratio), entry["epsilon"]
    plain, clipped = ratio * advantages, np.clip(ratio, 1 - epsilon, 1 + epsilon) * advantages
    return {
        "loss": float(-np.minimum(plain, clipped).mean()),
        "clip_fraction": float((clipped < plain).mean()),
        "approx_kl_k1": float(-log_ratio.mean()),
        "approx_kl_k3": float((ratio - 1 - log_ratio).mean()),
    }


def value_clip(entry):
    values, old, returns = (np.array(entry[key]) for key in ("values", "old_values", "returns"))
    near = old + np.clip(values - old, -entry["range"], entry["range"])
    return {"loss": float(0.5 * np.maximum((values - returns) ** 2, (near - returns) ** 2).mean())}


def kl_estimators(entry):
    k1 = np.array(entry["policy"]) - np.array(entry["reference"])
    return {"k1": k1, "k2": k1**2 / 2, "k3": np.exp(-k1) - 1 + k1}


def adaptive_kl(entry):
    error = min(max(entry["kl"] / entry["target"] - 1, -0.2), 0.2)
    change = 1 + error * entry["batch"] / entry["horizon"]
    return {"next_coefficient": entry["coefficient"] * change}


def plackett_luce(entry):
    s = np.array(entry["scores"])
    choices = [np.logaddexp.reduce(s[i:]) - s[i] for i in range(len(s))]
    pairs = [softplus(s[j] - s[i]) for i in range(len(s)) for j in range(i + 1, len(s))]
    return {"loss": float(sum(choices)), "pairwise_bt_mean": float(np.mean(pairs))}


def bradley_terry(entry):
    gap = entry["chosen"] - entry["rejected"]
    return {
        "loss": float(softplus(-gap)),
        "loss_with_margin": float(softplus(entry["margin"] - gap)),
        "center_term": (entry["chosen"] + entry["rejected"]) ** 2,
    }


ONLINE = {
    "gae": gae,
    "group advantages": group_advantages,
    "ppo clip": ppo_clip,
    "value clip": value_clip,
    "kl estimators, x~policy": kl_estimators,
    "adaptive kl controller (Ziegler 2019)": adaptive_kl,
    "plackett-luce, best first": plackett_luce,
    "bradley-terry": bradley_terry,
}

path = GOLDEN / "losses.json"
given = read_json(path)
for case in given["offline"]:
    case["expected"] = offline(case["inputs"])
for entry in given["online"]:
    for key, value in ONLINE[entry["what"]](entry).items():
        entry[key] = value.tolist() if isinstance(value, np.ndarray) else value
write_json(path, given)
