-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION publicdigit CASCADE" to load this file. \quit

