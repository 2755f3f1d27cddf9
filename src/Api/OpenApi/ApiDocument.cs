using System.Text;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Shapes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace AgentPlatform.Api.OpenApi;

/// <summary>The OpenAPI 3.1 document at <c>/openapi/v1.json</c>: what routes declare as <see cref="Operation"/> becomes parameters, bodies, answers and problems.</summary>
internal static class ApiDocument
{
    private const string Name = "v1";
    private const string SecurityScheme = "bearer";

    public static void AddApiDocument(this IServiceCollection services) => services.AddOpenApi(Name, options =>
    {
        options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
        options.ShouldInclude = description => description.RelativePath is { } path && (path.StartsWith("v1/", StringComparison.Ordinal) || path.StartsWith("webhooks/", StringComparison.Ordinal));
        options.AddOperationTransformer((operation, context, _) =>
        {
            if (context.Description.ActionDescriptor.EndpointMetadata.OfType<Operation>().FirstOrDefault() is { } declared)
            {
                Describe(operation, declared, context.Description.RelativePath!, context.Document!);
            }
            return Task.CompletedTask;
        });
        options.AddDocumentTransformer((document, _, _) =>
        {
            Complete(document);
            return Task.CompletedTask;
        });
    });

    /// <summary>Made once: making it takes half a second, and anybody may ask for it. It names no server, so that it is the same for whoever asks, by whatever name.</summary>
    public static void MapApiDocument(this IEndpointRouteBuilder routes)
    {
        var document = new Lazy<Task<byte[]>>(async () =>
        {
            await using var scope = routes.ServiceProvider.CreateAsyncScope();
            var made = await scope.ServiceProvider.GetRequiredKeyedService<IOpenApiDocumentProvider>(Name).GetOpenApiDocumentAsync();
            return Encoding.UTF8.GetBytes(await made.SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1));
        });
        routes.MapGet($"/openapi/{Name}.json", async () => TypedResults.Bytes(await document.Value, "application/json;charset=utf-8")).AllowAnonymous().ExcludeFromDescription();
    }

    private static void Describe(OpenApiOperation operation, Operation declared, string path, OpenApiDocument document)
    {
        operation.OperationId = declared.Id;
        operation.Description = Description(declared);
        operation.Parameters = [.. Parameters(declared, path)];
        operation.Security = declared.Role is null ? [] : [new() { [new OpenApiSecuritySchemeReference(SecurityScheme, document)] = [] }];
        operation.RequestBody = declared.Body is not null ? Body(declared, document) : declared.TakesContent ? new OpenApiRequestBody { Required = true, Content = AnyContent() } : null;
        operation.Responses = [];
        operation.Responses[declared.SuccessStatus.ToString(System.Globalization.CultureInfo.InvariantCulture)] = Success(declared, document);
        if (declared.PreviewAnswer is { } preview)
        {
            operation.Responses["200"] = new OpenApiResponse
            {
                Description = "What would happen.",
                Content = new Dictionary<string, OpenApiMediaType> { ["application/json"] = new() { Schema = preview.Schema(ShapeUse.Answer) } },
            };
        }
        foreach (var problems in Problems(declared, path).GroupBy(problem => problem.Status).OrderBy(group => group.Key))
        {
            operation.Responses[problems.Key.ToString(System.Globalization.CultureInfo.InvariantCulture)] = new OpenApiResponse
            {
                Description = string.Join(" ", problems.Select(problem => $"`{problem.Name}`: {problem.Title}.")),
                Content = new Dictionary<string, OpenApiMediaType> { [Problem.ContentType] = new() { Schema = new OpenApiSchemaReference("Problem", document) } },
            };
        }
    }

    private static string Description(Operation declared)
    {
        var role = declared.Role is not { } needed ? "Needs no sign-in."
            : declared.NeedsSuperAdmin ? "Needs a super admin."
            : declared.Scope is null ? $"Needs the role `{Auth.Roles.Name(needed)}` or higher, and a person: API keys are refused."
            : $"Needs the role `{Auth.Roles.Name(needed)}` or higher; an API key needs the scope `{declared.Scope}`.";
        return declared.Description is null ? role : $"{declared.Description} {role}";
    }

    private static IEnumerable<IOpenApiParameter> Parameters(Operation declared, string path)
    {
        foreach (var segment in path.Split('/').Where(segment => segment.StartsWith('{')))
        {
            yield return new OpenApiParameter
            {
                Name = segment.Trim('{', '}'),
                In = ParameterLocation.Path,
                Required = true,
                Schema = new OpenApiSchema { Type = JsonSchemaType.String, Format = "uuid" },
            };
        }
        foreach (var parameter in declared.Query)
        {
            yield return new OpenApiParameter
            {
                Name = parameter.Name,
                In = ParameterLocation.Query,
                Description = parameter.Description,
                Schema = QuerySchema(parameter),
                Style = parameter.IsList ? ParameterStyle.Form : null,
                Explode = parameter.IsList,
            };
        }
        if (declared.IfMatch != IfMatch.None)
        {
            yield return Header("If-Match", "The `ETag` of the last read, or `*` for any version.", declared.IfMatch == IfMatch.Required, "\"7\"");
        }
        if (declared.TakesIdempotencyKey)
        {
            yield return Header("Idempotency-Key", "Any text of your own; the same key gives the same answer for a day.", false, "order-4711");
        }
    }

    private static OpenApiParameter Header(string name, string description, bool required, string example) => new()
    {
        Name = name,
        In = ParameterLocation.Header,
        Description = description,
        Required = required,
        Example = example,
        Schema = new OpenApiSchema { Type = JsonSchemaType.String },
    };

    private static OpenApiSchema QuerySchema(QueryParameter parameter)
    {
        var schema = parameter.Type is TextListType list ? list.Item.Schema() : parameter.Type.Schema();
        if (parameter.TakesNothing)
        {
            schema = new OpenApiSchema { AnyOf = [schema, new OpenApiSchema { Type = JsonSchemaType.String, Const = parameter.NothingText }] };
        }
        return parameter.IsList ? new OpenApiSchema { Type = JsonSchemaType.Array, Items = schema, MaxItems = QueryParameter.MaxValues } : schema;
    }

    private static OpenApiRequestBody Body(Operation declared, OpenApiDocument document)
    {
        var name = Capital(declared.Id) + "Body";
        document.AddComponent(name, declared.Body!.Schema(declared.BodyUse));
        var example = declared.Example ?? declared.Body.Sample(declared.BodyUse);
        return new()
        {
            Required = declared.IsBodyRequired,
            Content = new Dictionary<string, OpenApiMediaType>
            {
                ["application/json"] = new() { Schema = new OpenApiSchemaReference(name, document), Example = example.Count > 0 ? example.DeepClone() : null },
            },
        };
    }

    private static OpenApiResponse Success(Operation declared, OpenApiDocument document)
    {
        var response = new OpenApiResponse { Description = declared.Summary };
        if (declared.AnswersEvents)
        {
            response.Content = new Dictionary<string, OpenApiMediaType> { ["text/event-stream"] = new() { Schema = new OpenApiSchema { Type = JsonSchemaType.String } } };
        }
        else if (declared.AnswersContent)
        {
            response.Content = AnyContent();
        }
        else if (declared.Answer is not null)
        {
            response.Content = new Dictionary<string, OpenApiMediaType> { ["application/json"] = new() { Schema = AnswerSchema(declared, document) } };
        }
        if (declared.AnswersEntityTag)
        {
            response.Headers = new Dictionary<string, IOpenApiHeader>
            {
                ["ETag"] = new OpenApiHeader { Description = "The version, for `If-Match`.", Schema = new OpenApiSchema { Type = JsonSchemaType.String } },
            };
        }
        return response;
    }

    private static Dictionary<string, OpenApiMediaType> AnyContent() =>
        new() { ["application/octet-stream"] = new() { Schema = new OpenApiSchema { Type = JsonSchemaType.String, Format = "binary" } } };

    private static IOpenApiSchema AnswerSchema(Operation declared, OpenApiDocument document)
    {
        IOpenApiSchema one = declared.Answer!.Schema(ShapeUse.Answer);
        if (declared.AnswerName is { } name)
        {
            document.AddComponent(name, (OpenApiSchema)one);
            one = new OpenApiSchemaReference(name, document);
        }
        if (!declared.AnswersPage)
        {
            return one;
        }
        return new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Required = new HashSet<string> { "items", "nextCursor" },
            Properties = new Dictionary<string, IOpenApiSchema>
            {
                ["items"] = new OpenApiSchema { Type = JsonSchemaType.Array, Items = one },
                ["nextCursor"] = new OpenApiSchema { Type = JsonSchemaType.String | JsonSchemaType.Null, Description = "For `cursor`; null on the last page." },
            },
        };
    }

    private static IEnumerable<ProblemType> Problems(Operation declared, string path)
    {
        IEnumerable<ProblemType> implied = [ProblemType.Validation, ProblemType.TooManyRequests, ProblemType.Unavailable];
        if (declared.Role is not null)
        {
            implied = [.. implied, ProblemType.Unauthenticated, ProblemType.Forbidden];
        }
        if (path.Contains('{', StringComparison.Ordinal))
        {
            implied = [.. implied, ProblemType.NotFound];
        }
        if (declared.Body is not null)
        {
            implied = [.. implied, ProblemType.MalformedBody, ProblemType.BodyTooLarge, ProblemType.UnsupportedMediaType];
        }
        if (declared.IfMatch != IfMatch.None)
        {
            implied = [.. implied, ProblemType.VersionConflict];
        }
        if (declared.IfMatch == IfMatch.Required)
        {
            implied = [.. implied, ProblemType.PreconditionRequired];
        }
        if (declared.TakesIdempotencyKey)
        {
            implied = [.. implied, ProblemType.IdempotencyKeyReused];
        }
        return implied.Concat(declared.Problems).Distinct();
    }

    private static void Complete(OpenApiDocument document)
    {
        document.Info = new OpenApiInfo
        {
            Title = "AgentPlatform",
            Version = "1",
            Description = "Conversations, agents, knowledge, channels and CRM of one organization. The organization follows from the access token. Lists are `{items, nextCursor}`; changes take `If-Match`; failures are RFC 9457 problems with a stable `type`.",
            Contact = new() { Name = "The operator of this installation" },
        };
        document.Servers = [new() { Url = "/", Description = "This installation" }];
        document.Components ??= new();
        document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
        {
            [SecurityScheme] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", BearerFormat = "JWT", Description = "The `accessToken` of `POST /v1/auth/login`, or an API key." },
        };
        document.AddComponent("Problem", ProblemSchema());
        document.Tags = new HashSet<OpenApiTag>((document.Paths ?? []).SelectMany(path => path.Value.Operations?.Values.AsEnumerable() ?? [])
            .SelectMany(operation => operation.Tags?.Select(tag => tag.Name) ?? []).OfType<string>().Distinct().Order(StringComparer.Ordinal)
            .Select(name => new OpenApiTag { Name = name, Description = Capital(name) + "." }));
    }

    private static OpenApiSchema ProblemSchema() => new()
    {
        Type = JsonSchemaType.Object,
        Description = "RFC 9457. docs/errors.md lists the types.",
        Required = new HashSet<string> { "type", "title", "status" },
        Properties = new Dictionary<string, IOpenApiSchema>
        {
            ["type"] = new OpenApiSchema { Type = JsonSchemaType.String, Enum = [.. ProblemType.All.Select(type => (JsonNode)type.Uri)] },
            ["title"] = new OpenApiSchema { Type = JsonSchemaType.String },
            ["status"] = new OpenApiSchema { Type = JsonSchemaType.Integer },
            ["detail"] = new OpenApiSchema { Type = JsonSchemaType.String },
            ["errors"] = new OpenApiSchema
            {
                Type = JsonSchemaType.Array,
                Items = new OpenApiSchema
                {
                    Type = JsonSchemaType.Object,
                    Required = new HashSet<string> { "field", "detail" },
                    Properties = new Dictionary<string, IOpenApiSchema>
                    {
                        ["field"] = new OpenApiSchema { Type = JsonSchemaType.String, Description = "A JSON pointer into the body, or the name of a parameter or header." },
                        ["detail"] = new OpenApiSchema { Type = JsonSchemaType.String },
                    },
                },
            },
            ["currentVersion"] = new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int64" },
            ["traceId"] = new OpenApiSchema { Type = JsonSchemaType.String },
        },
    };

    private static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}
