using Npgsql.Internal;
using Npgsql.Internal.Postgres;
using Pgvector;

namespace AgentPlatform.Data.Vectors;

/// <summary>
/// Lets Npgsql read and write <see cref="Vector"/> as pgvector's <c>vector</c> in its binary form. Pgvector's own plug-in targets
/// an Npgsql API that is gone, so the mapping is here; the type is Pgvector's.
/// </summary>
internal sealed class VectorTypeInfoResolverFactory : PgTypeInfoResolverFactory
{
    public override IPgTypeInfoResolver CreateResolver() => new Resolver();

    public override IPgTypeInfoResolver CreateArrayResolver() => new ArrayResolver();

    private class Resolver : IPgTypeInfoResolver
    {
        private TypeInfoMappingCollection? _mappings;

        protected TypeInfoMappingCollection Mappings => _mappings ??= AddVector(new TypeInfoMappingCollection());

        public virtual PgTypeInfo? GetTypeInfo(Type? type, DataTypeName? dataTypeName, PgSerializerOptions options) =>
            Mappings.Find(type, dataTypeName, options);

        protected static TypeInfoMappingCollection AddVector(TypeInfoMappingCollection mappings)
        {
            mappings.AddType<Vector>("vector", static (options, mapping, _) => mapping.CreateInfo(options, new VectorConverter()), isDefault: true);
            return mappings;
        }
    }

    private sealed class ArrayResolver : Resolver
    {
        private TypeInfoMappingCollection? _arrayMappings;

        private TypeInfoMappingCollection ArrayMappings => _arrayMappings ??= AddArrays(new TypeInfoMappingCollection(Mappings));

        public override PgTypeInfo? GetTypeInfo(Type? type, DataTypeName? dataTypeName, PgSerializerOptions options) =>
            ArrayMappings.Find(type, dataTypeName, options);

        private static TypeInfoMappingCollection AddArrays(TypeInfoMappingCollection mappings)
        {
            mappings.AddArrayType<Vector>("vector");
            return mappings;
        }
    }
}
