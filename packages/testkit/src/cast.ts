/** The people of the draft (SPEC §3, Figure 1) and their domains; the password is everybody's. */
export const WONDERLAND = 'wonderland.lit';
export const REALWORLD = 'realworld.lit';

export const ALICE = `alice@${WONDERLAND}`;
export const QUEEN = `queen@${WONDERLAND}`;
export const BOB = `bob@${WONDERLAND}`;
export const SISTER = `sister@${REALWORLD}`;

export const PASSWORD = 'curiouser and curiouser';
