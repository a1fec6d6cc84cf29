<?php
// The few WordPress functions that the documented snippet calls; prints the tag that a page would carry.
$actions = $filters = $scripts = [];
function add_action($name, $do) { global $actions; $actions[$name][] = $do; }
function add_filter($name, $do, $priority = 10, $arguments = 1) { global $filters; $filters[$name][] = [$do, $arguments]; }
function is_singular($type) { return $type === 'post' && getenv('IS_SINGULAR') === 'yes'; }
function wp_enqueue_script($handle, $source, $needs = [], $version = false, $options = []) {
    global $scripts;
    $scripts[$handle] = [$source, $options];
}
require $argv[1];
foreach ($actions['wp_enqueue_scripts'] ?? [] as $do) { $do(); }
foreach ($scripts + ['other' => ['https://news.example/other.js', []]] as $handle => [$source, $options]) {
    $async = ($options['strategy'] ?? '') === 'async' ? ' async' : '';
    // As WP_Scripts::do_item writes it.
    $tag = "<script src='" . htmlspecialchars($source, ENT_QUOTES) . "' id='$handle-js'$async></script>\n";
    foreach ($filters['script_loader_tag'] ?? [] as [$do, $arguments]) {
        $tag = $do(...array_slice([$tag, $handle, $source], 0, $arguments));
    }
    echo $tag;
}
