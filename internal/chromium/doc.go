// Package chromium opens pages in a real browser, for tests.
//
// It needs Chromium or Chrome. Where that is missing, a test is skipped, or, if the environment
// variable PIXELGRAD_TEST_REQUIRE names chromium (a list with commas), the package of Debian is
// installed, and the test fails if that is not possible.
package chromium
