// The types of uplot.js, which vendor.mjs writes from this package.

export { default } from "uplot";
