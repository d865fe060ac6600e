namespace FunctionsBackup.Components.PostgreSql.Logical;

/// <summary>What a dump asks the catalogs (PostgreSQL manual, system catalogs; 13 to 17).</summary>
internal static class LogicalQueries
{
    /// <summary>Sessions of a dump: as pg_dump sets them.</summary>
    public const string Session =
        "set statement_timeout = 0; set lock_timeout = 0; set idle_in_transaction_session_timeout = 0; set row_security = off; set synchronize_seqscans = off; "
        + "set search_path = ''; set datestyle = 'ISO, YMD'; set intervalstyle = postgres; set extra_float_digits = 3; set default_transaction_deferrable = off";

    public static string Databases(int version) => $"""
        select datname, pg_catalog.pg_get_userbyid(datdba), pg_catalog.pg_encoding_to_char(encoding), datcollate, datctype,
               {(version >= 150000 ? "datlocprovider::text" : "'c'")}, {(version >= 170000 ? "datlocale" : version >= 150000 ? "daticulocale" : "null::text")}
        from pg_catalog.pg_database
        where datallowconn and not datistemplate and pg_catalog.has_database_privilege(datname, 'CONNECT')
        order by datname
        """;

    /// <summary>
    /// Tables with rows of their own; of extensions only those that they call configuration. The last column: rows go as text, because a type has no binary
    /// form, or one that names types by their numbers (arrays and rows of types that are not the server's own), which are others in another database.
    /// </summary>
    public const string Tables = """
        select c.oid, n.nspname, c.relname, pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::int8, c.reltuples::float8,
               coalesce((select e.extcondition[array_position(e.extconfig, c.oid)] from pg_catalog.pg_extension e where c.oid = any (e.extconfig) limit 1), ''),
               array(select pg_catalog.quote_ident(a.attname) from pg_catalog.pg_attribute a
                     where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' order by a.attnum),
               array(select pg_catalog.format_type(a.atttypid, a.atttypmod) from pg_catalog.pg_attribute a
                     where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' order by a.attnum),
               exists (select from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid
                       left join pg_catalog.pg_type el on el.oid = t.typelem left join pg_catalog.pg_type b on b.oid = t.typbasetype
                       where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                         and (t.typsend = 0 or t.typreceive = 0 or t.typtype = 'c' or (t.typlen = -1 and t.typelem <> 0 and (el.typsend = 0 or el.typreceive = 0 or el.oid >= 16384))
                              or (t.typbasetype <> 0 and (b.typsend = 0 or b.typreceive = 0 or b.typtype <> 'b' or b.typelem >= 16384))))
        from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where c.relkind = 'r' and c.relpersistence <> 't' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
          and (not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid and d.deptype = 'e')
               or exists (select from pg_catalog.pg_extension e where c.oid = any (e.extconfig)))
        order by n.nspname, c.relname
        """;

    public const string Sequences = """
        select pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname)
        from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where c.relkind = 'S' and c.relpersistence <> 't' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
          and (not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid and d.deptype = 'e')
               or exists (select from pg_catalog.pg_extension e where c.oid = any (e.extconfig)))
        order by 1
        """;

    public const string MaterializedViews = """
        select pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname)
        from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where c.relkind = 'm' and c.relispopulated and n.nspname !~ '^pg_' order by 1
        """;

    public const string LargeObjects = """
        select m.oid, pg_catalog.pg_get_userbyid(m.lomowner),
               array(select pg_catalog.format('GRANT %s ON LARGE OBJECT %s TO %s%s', a.privilege_type, m.oid,
                            case a.grantee when 0 then 'PUBLIC' else pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) end,
                            case when a.is_grantable then ' WITH GRANT OPTION' else '' end)
                     from pg_catalog.aclexplode(m.lomacl) a where a.grantee <> m.lomowner)
        from pg_catalog.pg_largeobject_metadata m order by m.oid
        """;
}
