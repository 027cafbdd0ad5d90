\echo '-- What "make install" put into the share folder.'
SELECT module, version, context, title FROM publicdigit.available_modules();

\echo
\echo '-- Registering copies manifest and scripts into the registry. It installs nothing.'
SELECT publicdigit.register_module('geography');
SELECT publicdigit.register_module('members');
SELECT publicdigit.register_module('digital_card');
SELECT module, version, context, title FROM publicdigit.modules ORDER BY module;
