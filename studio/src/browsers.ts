/** Which browsers show the page, as its messages name them: those with popovers, the newest of what it needs. index.html
 * says it, too, for browsers that run no script. */
export const BROWSERS = "Chrome, Edge or Safari of 2023 or newer, or Firefox of 2024 or newer";
