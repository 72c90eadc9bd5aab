// What the page knows of the networks: their names, how their addresses look, and a worthless token on each.

export const NAMES = { bsc: "BSC", solana: "Solana", tron: "Tron", aptos: "Aptos" };
export const nameOf = (network) => NAMES[network] ?? network;

const FORMS = {
  bsc: /^0x[0-9a-f]{40}$/i,
  aptos: /^0x[0-9a-f]{64}$/i,
  tron: /^T[1-9A-HJ-NP-Za-km-z]{33}$/,
  solana: /^[1-9A-HJ-NP-Za-km-z]{32,44}$/,
};

/** The network an address is of; undefined when it is none. */
export const networkOf = (text) => Object.keys(FORMS).find((network) => FORMS[network].test(text));

/** Tokens that call themselves USDT. */
export const FAKES = {
  bsc: `0x${"deadbeef".repeat(5)}`,
  solana: "FzFAtwLSSzxhug4sEvUeusLxFdjAS3ByYqgseUYkFpkN",
  tron: "TWGd9idELBV3is6rrtC5PQUhudiJYeCr7E",
  aptos: `0x${"deadbeef".repeat(8)}`,
};
