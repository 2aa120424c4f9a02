// Package imports holds the repository to the picture in DESIGN.md "Packages":
// imports point one way, the domain is pure, files are formatted and short.
package imports
