import faulthandler,hashlib as W,io,lzma,numpy as X,os as Y,signal,subprocess,sys as p,time as c,torch as t,torch.distributed as o,torch.nn.functional as r,traceback
from functools import partial as a
from pathlib import Path as i
from sentencepiece import SentencePieceProcessor
from torch import nn as Z
from torch.nn.attention.flex_attention import create_block_mask,flex_attention
from typing import NamedTuple as e
def ex():
 e=Y.environ.get;s=int(e('RANK',0));a=int(e('WORLD_SIZE',1));i=int(e('LOCAL_RANK',0))
 if a<1 or 8%a:raise ValueError(f"WORLD_SIZE is {a}, wanted a divisor of 8 micro-batches")
 return s,a,i
def ej():
 global l,h,n;s,a,i=ex();e='gloo';c=t.device('cpu')
 if t.cuda.is_available():e='nccl';c=t.device('cuda',i);t.cuda.set_device(c)
 if a>1:o.init_process_group(e)
 h=s;n=a;l=c
def eq():
 if n>1:o.destroy_process_group()
def ez(e):
 if n>1:o.all_reduce(e)
 return e
def v(value):
 f=[value]*n
 if n>1:o.all_gather_object(f,value)
 return f
def k(value):
 if n==1:return value
 e=t.tensor(value,dtype=t.float64,device=l);o.all_reduce(e,o.ReduceOp.MAX);return e.item()
def eA(e):
 if e.grad is None:e.grad=t.zeros_like(e)
 return e.grad
def eB(i):
 a=[eA(e)for e in i]
 if n>1:
  d=t.cat([c.flatten()for c in a]);o.all_reduce(d);s=(d/n).split([c.numel()for c in a])
  for(c,m)in zip(a,s,strict=True):c.copy_(m.view_as(c))
def eC(a,c):
 if n>1:return o.reduce_scatter(a,list(c.chunk(n)),async_op=True)
 a.copy_(c)
def eD(c,a):
 if n>1:return o.all_gather(list(c.chunk(n)),a,async_op=True)
 c.copy_(a)
def eE(i):
 if i is not None:i.wait()
def eF(s,a):
 if not s.s:return a,
 o=range(s.shape[0]//len(s.s));return tuple(e.format(i)for e in s.s for i in o)
def x(r):
 l=[]
 for s in r:
  if s.s:
   o=range(s.shape[0]//len(s.s))
   for(e,p)in zip(s.s,s.init,strict=True):l+=[(e.format(i),p,s)for i in o]
  else:l+=[(a,s.init,s)for a in s.r()]
 return l
def eG(a,e):
 if a.startswith('blocks.')and a.endswith('.weight'):i,t=a[len('blocks.'):-len('.weight')].split('.',1);return t,int(i)
 return e,0
def eH(n,r,h):
 for s in r:
  d=h if s.dtype=='activation'else t.float32
  for a in s.r():
   *c,i=a.split('.');e=n
   for o in c:
    if o not in e._modules:e.add_module(o,Z.ModuleList())
    e=e._modules[o]
   e.register_parameter(i,Z.Parameter(t.empty(s.shape,dtype=d,device=l)))
def eI(a):o=W.sha256(f"{el}:{a}".encode()).digest();return t.Generator().manual_seed(int.from_bytes(o[:7],'little'))
def eJ(r,d):
 n=j(f.state_dict(),r)
 for(a,p,m)in x(r):l=t.empty(n[a].shape);p(l,eI(a),d);n[a].copy_(l)
def j(n,r):
 i=[]
 for s in r:
  for a in s.r():i+=n[a].unbind()if s.s else[n[a]]
 return{a:e for((a,m,m),e)in zip(x(r),i,strict=True)}
def q(tensor,generator,ledger):tensor.zero_()
def z(tensor,generator,ledger):tensor.fill_(1.)
def A(tensor,generator,ledger,value):tensor.fill_(value)
def eK(tensor,generator,ledger,std):tensor.normal_(.0,std,generator=generator)
class eL:
 def __init__(n):d=[(f.get_parameter(a),eF(s,a),s)for s in w for a in s.r()];n.tensors,n.names=B(d);n.replicated=[e for(e,r,s)in d if s.reduction=='replicated'];n.u,n.G=B([p for p in d if p[2].A]);o,i=B([p for p in d if p[2].group=='matrix']);oB(o,i);g=[(c,*B([p for p in d if p[2].group==c.name]))for c in ia];oy(g)
 @t.no_grad()
 def step(n,scalars,ledger):
  for c in it:c(n.tensors,n.names,ledger)
  oC();eB(n.replicated);ob(scalars,ledger);oD(scalars,ledger)
  for e in n.tensors:e.grad=None
def B(d):return[e for(e,r,s)in d],[r for(e,r,s)in d]
def eM(e):
 if t.cuda.is_available():return t.compile(e,dynamic=False,fullgraph=True)
 return e
def eN(t):
 global eo
 if eo is None:eo=eM(ir)
 return eo(t.bfloat16(),5)
def eO(t,r):t=eN(t).contiguous();return t
def eP(e,t,r,n,a,d):eQ(e,t,r,.025*a.o,n,a,d)
def eQ(e,t,r,o,n,a,d):
 for c in ie:c(e,t,r,o,a,d)
 e.add_(t,alpha=-o*n)
def eR(c,e,p):e.mul_(p).add_(c);return c.add(e,alpha=p)
def eS(e):return max(1,e.shape[-2]/e.shape[-1])**.5
def eT():
 o=''
 try:oY()
 except(OSError,ValueError)as i:o=f"{eg}: {i}"
 for(s,e)in enumerate(v(o)):
  if e:raise ValueError(f"{e} (on rank {s})"if s else e)
def eU(e):
 if e is not None:s(f"prepared {eg}: {e}")
class Param(e):
 name:e;shape:e;group:e;k:e;init:e=None;l:e='';dtype:e='float32';layers:e=0;s:e=();reduction:e='replicated';m:e='';A:e=True;N:e=True;export:e='yes';b:e=0
 def r(n):return[n.name.format(i)for i in range(n.b,n.layers)]or[n.name]
class Group(e):name:e;lr:e;weight_decay:e=.0
class Phase(e):name:e;start:e;j:e=True;l:e=''
class C:
 def __init__(n):n.done={}
 def count(n,plugin,unit,number=1):n.done[plugin,unit]=n.done.get((plugin,unit),0)+number
 def i(n,t,e):n.done[t,'']=e
 def E(n,t):return', '.join(f"{s} {e}".strip()for((a,e),s)in n.done.items()if a==t and s)
def D(s,o,e):return(s/E(o)).round().clamp(-e,e).to(t.int8)
def E(o):return o[:,None]if o.ndim else o
def F(h,o,t):return(h.float()*E(o).float()).to(t)
def eV(s,half):
 if s.ndim==2:o=(s.abs().amax(1)/31).clamp_min(1/31)
 else:o=s.abs().amax()/31;o=o if o>0 else o+1
 if half:o=o.half()
 return D(s,o.float(),31),o
def eW(s,e):o=s.abs();n=max(e,t.finfo(t.float16).tiny);i=[t.quantile(o,c,1)for c in(.999,.9995,.9999,.99999)];return[(a/31).clamp_min(n).half()for a in(*i,o.amax(1))]
def eX(s,h,o):return(s-F(h,o,t.float32)).square().mean()
def eY(s):
 if s.ndim==2:a=t.quantile(s.abs(),.9999984,1);o=(a/127).clamp_min(1/127);e=o.half()
 else:a=t.quantile(s.abs().flatten(),.9999984);e=o=a/127 if a>0 else a+1
 a=E(a);return D(s.clamp(-a,a),o,127),e
def eZ(s,t):
 if'kept'in s:return s['kept'].to(t)
 return F(s['codes'],s['step'],t)
def te(i):i=i.clone();e=i.diagonal();f=e==0;e[f]=1.;e+=.0201*e.mean();return i,f
class tt:
 def __init__(n):n.n={}
 def __call__(n,t,i,o):o=o.flatten(0,-2).float();e=(o.T@o).double();d=t,i;n.n[d]=n.n[d].add_(e)if d in n.n else e
@t.no_grad()
def ta():
 e=tt();y={};o=0;f.eval()
 for i in oS():to(i,S(),e);o+=1;at(f"calibration: batch {o}")
 f.train()
 if not o:raise ValueError('calibration found no batch of tokens')
 l={}
 for(a,m,s)in x(w):
  d=eG(a,s.m)
  if d in e.n:l[a]={'hessian':e.n[d]/o}
 l=oR(l);return{a:{d:p.float()for(d,p)in u.items()}for(a,u)in l.items()},o
def to(i,t,e):h={};f(i,i,phases=t,observe=e,fields=h)
def ti():return[a for(a,m,s)in x(w)if s.k in('attn','mlp')and s.export!='drop'and len(s.shape[bool(s.s):])==2 and s.shape[-1]*s.shape[-2]>65536]
@t.no_grad()
def tn():
 e=tt();o={};f.eval();t=tuple(c.name for c in u if c.j);to(R()[0][:1,:64],t,e);f.train();n=ti()
 for(a,m,s)in x(w):
  d=eG(a,s.m)
  if a in n and d not in e.n:raise ValueError(f"{a} needs input statistics, and the forward uses no matrix under its role {d[0]!r}")
  if a in n and d in o:raise ValueError(f"{a} and {o[d]} have the same role {d[0]!r}: wanted one matrix for each")
  o[d]=a
def G(a,o,t):
 e=Y.environ.get(a,o)
 try:return t(e)
 except ValueError:raise ValueError(f"{a} is {e!r}, wanted a value like {o!r}")from None
def ts():global en,es,g,er,im,eh,el,ed,ip,ig;e=Y.environ.get;en=e('DATA_PATH','./data/datasets/fineweb10B_sp1024');es='export'in p.argv;g=G('ITERATIONS',20000,int);er=G('MAX_WALLCLOCK_SECONDS',6e2,float);im=e('RUN_ID',str(c.time_ns()));eh='score'in p.argv;el=G('SEED',1337,int);ed=e('TOKENIZER_PATH','./data/tokenizers/fineweb_1024_bpe.model');ip=G('TRAIN_LOG_EVERY',200,int);ig=G('VAL_LOSS_EVERY',1000,int)
class Score(e):val_loss:e;d:e;F:e;w:e
def tr(a):
 if a.numel():raise ValueError(f"target {a[0]} of the validation stream is not scored")
def th(a):i=b[a].to(l,t.int64);o=i[:,:-1].contiguous();return o,i[:,1:].contiguous(),tl()
def tl():return{}
def td(e,f,a,n):
 c=a[:,1:];e[c[n]]=f;at(f"eval: batch {f}");o,r,h=th(a)
 with t.set_grad_enabled(False):u=ib(o,r,phases=S(),fields=h,reduction='none',adapter=None)
 d=om(o,r,c.to(l));i=n.to(l);p=(u.detach().double()*16777216).round()/16777216;s=p*i,i,d*i;return u,t.stack([m.sum().double()for m in s])
def tc(e,a):
 if n>1:e=e.to(l);o.all_reduce(e,a)
 return e.cpu()
def tu(e,i,d):
 tr(1+(e[1:]==0).nonzero().flatten());p,o,f=ez(i).tolist()
 if o>len(e)-1:raise ValueError('a target of the validation stream is scored twice')
 return Score(p/o,p/.6931471805599453/f,int(o),1e3*(c.perf_counter()-d))
def tm(scored_at):
 if h==0:c=f"logs/{im}.scores.npz";X.savez_compressed(c,scored_at=scored_at.numpy())
class Span(e):start:e;end:e;b:e
def tf(e):return[Span(l,l+4096,0)for l in range(0,(e-1)//4096*4096,4096)]
def tp(e):return e[len(e)*h//n:len(e)*(h+1)//n]
def tg(r):o=t.are_deterministic_algorithms_enabled();n=r if o else tp(r);e=[n[a:a+16]for a in range(0,len(n),16)];return tp(e)if o else e
def tw(r):
 a=t.zeros(16,4097,dtype=t.int64);n=t.zeros(16,4096,dtype=t.bool)
 for(e,(l,s,i))in enumerate(r):a[e,:s+1-l]=t.arange(l,s+1);n[e,i:s-l]=True
 return a,n
def H(r):
 d=c.perf_counter();f.eval();e=t.zeros(len(b),dtype=t.int32);i=t.zeros(3,dtype=t.float64,device=l)
 for(s,h)in enumerate(tg(r),1):a,n=tw(h);i+=td(e,s,a,n)[1]
 f.train();e=tc(e,o.ReduceOp.MAX);return tu(e,i,d),e
def ty():return{a:s.k for(a,m,s)in x(w)if s.export!='drop'}
def tb(n,c,r=0):
 t=ty();o={};i=tk(n,t,c)
 for(a,h)in t.items():
  if a in i:s=i[a]
  else:e=n[a];u=c.get(a,{});s=ei[h].encode(a,e,u,m)
  o[a]={d:p.cpu()for(d,p)in s.items()}
 return tx(o)
def tv(a,e,u):return e,u
def tk(n,t,c):
 g={}
 for(a,h)in t.items():
  if h in('attn','mlp')and n[a].ndim==2 and n[a].numel()>65536:o,x=n[a].shape;g.setdefault((h,o,x),[]).append(a)
 l={}
 for((h,m,m),r)in g.items():s=[tv(a,n[a],c.get(a,{}))for a in r];i,u=[e for(e,m)in s],[p for(m,p)in s];d=ei[h];l|=zip(r,d.B(r,i,u),strict=True)
 return l
def tx(o):return o
def tj(o):return oo(oh(o))
def tq(data,n):
 o=2**20+sum(8*e.numel()+4096 for e in n.values())
 try:return ol(oi(data,o))
 except Exception as i:raise ValueError(f"the artifact cannot be read: {str(i)[:99]!r}")from i
def tz(a,s,h,t):e=ei[h].decode(a,s,t);return e
def tA(o,n):
 t=ty()
 if o.keys()!=t.keys():raise ValueError("the artifact's tensors are not the model's")
 for(a,h)in t.items():
  try:e=tB(a,o[a],h,n[a].dtype)
  except Exception as i:raise ValueError(f"the artifact's {a} cannot be decoded: {i!r}")from i
  if e.shape!=n[a].shape:raise ValueError(f"{a}: shape {[*e.shape]}, wanted {[*n[a].shape]}")
  n[a].copy_(e)
def tB(a,s,h,t):return tz(a,s,h,t)
def tC(e):
 global ec,eu,iw;iw=h;ec=h==0;i('logs').mkdir(exist_ok=True);eu=i('logs',e+'.txt')
 if ec and not es:eu.write_text('')
 p.excepthook=a(tE,eu);faulthandler.register(signal.SIGTERM,eu.open('a'),chain=True)
def s(e):
 if ec:
  print(e,flush=True)
  with eu.open('a')as o:print(e,file=o)
def tD(e):
 if ec:s(f"error: {e}")
 elif e not in eu.read_text():
  with eu.open('a')as o:print(f"rank {iw}: error: {e}",file=o)
def tE(path,kind,i,trace):
 with path.open('a')as o:traceback.print_exception(i,file=o)
 p.__excepthook__(kind,i,trace)
def tF():
 o=W.sha256(i(p.argv[0]).read_bytes()).hexdigest();e=f"hardware:{Y.uname().machine} CPU, {t.get_num_threads()} threads"
 if l.type=='cuda':e=subprocess.getoutput('nvidia-smi')
 s(f"Running Python {p.version}\nRunning PyTorch {t.__version__}\ncode_sha256:{o}\n{e}")
def I():return len(i(p.argv[0]).read_bytes())
oZ='final_model.pt'
def J():return ei['mlp'].name
def tG():return i(f"final_model.{J()}.ptz")
def tH(o):
 n=j(f.state_dict(),w)
 if h==0:i('final_export.pt').unlink(missing_ok=True);K(a(t.save,n),'final_model.pt')
 c=tL(o)
 if h==0:l=c,m.done,y,ew,ef;K(a(t.save,l),'final_export.pt')
 tI(n,c)
def tI(n,c):
 i=ai();d('diagnostic','val');s(f"diagnostic pre-quantization post-ema val_loss:{i.val_loss:.8f} val_bpb:{i.d:.8f} eval_time:{i.w:.0f}ms")
 if h==0:tN(n,c)
 k(.0);tP()
def K(a,c):
 e=i('final_model.tmp')
 try:
  a(e)
  with e.open('rb')as o:Y.fsync(o.fileno())
  e.replace(c)
 finally:e.unlink(missing_ok=True)
def tJ():
 global ef,ew,y;n=j(f.state_dict(),w);g=tK('final_model.pt');l=tK('final_export.pt');o=[a for a in n if a not in g or g[a].shape!=n[a].shape]
 if o:raise ValueError(f"final_model.pt is of another model: {o[0]} is missing or has another shape")
 for(a,e)in n.items():e.copy_(g[a])
 c,i,y,ew,ef=l;m.done.update(i);P(ef);tI(n,c)
def tK(c):
 try:return t.load(c,l,weights_only=True)
 except OSError:raise
 except Exception as i:raise ValueError(f"{c} is damaged: {str(i)[:99]!r}")from i
def tL(o):
 global em;c={};em=False
 if em:c,e=tM(o)
 else:c,e=ta()
 d('calibration','none'+f" batches:{e}");em=False;return c
def tM(o):
 e=1e3*er;U();l=ta();oF();U();n=k(oG(o));P(n)
 if 0<e<n:ao(f"calibration from training data ended at {n:.0f}ms, after the {e:.0f}ms of max_wallclock_seconds: build with more time in reserve")
 return l
def tN(n,c):o=tb(n,c,I());d('quantize','none');r=tj(o);d('compress','none');K(a(i.write_bytes,data=r),tG());e=f"{J()}+lzma";s(f"Serialized model: {i(oZ).stat().st_size} bytes\nCode size: {I()} bytes\nSerialized model {e}: {len(r)} bytes\nTotal submission size {e}: {len(r)+I()} bytes")
def tO():
 n=j(f.state_dict(),w)
 for e in n.values():e.zero_()
 r=tG().read_bytes();o=W.sha256(r).hexdigest()
 if eh:
  a=''.join(c.read_text()for c in i('logs').glob('*.txt'))
  if'artifact_sha256:'in a and o not in a:raise ValueError('the artifact is not that of the logs in logs/')
 s('artifact_sha256:'+o);tA(tq(r,n),n)
def tP():
 o=J()
 if l.type=='cuda':t.cuda.reset_peak_memory_stats()
 tO();d('decode','none');i,e=H(tf(len(b)));d('score','val');tQ(f"{o}_lzma_roundtrip",i);i,e=H(ow(len(b)));d('score','val');tQ(f"{o}_sliding_window",i);tm(e);m.count('sliding_eval','targets',i.F);s(f"eval: peak memory allocated: {t.cuda.max_memory_allocated()>>20} MiB")
def tQ(e,i):s(f"final_{e} val_loss:{i.val_loss:.4f} val_bpb:{i.d:.4f} eval_time:{i.w:.0f}ms\nfinal_{e}_exact val_loss:{i.val_loss:.8f} val_bpb:{i.d:.8f}")
def tR():
 e=[c.l for c in u if c.name not in y];o=False
 for a in ih:
  n=m.E(a)
  if n and a not in e:s(f"receipt {a}: {n}")
  else:s(f"error: plugin {a} did nothing");o=h==0
 return o
class Progress(e):step:e;C:e;p:e;f:e;H:e;o:e
class Scalars(e):o:e;z:e;momentum:e
def tS(o,n,r):a=n/r if r>0 else o/max(g,1);return Progress(o,g,n,r,a,1.)
class Context(e):
 ids:e;phases:e;training:e;g:e;memo:e;fields:e;c:e;observe:e;ledger:e
 def a(n,t,e,s=1):
  if n.ledger is not None:n.ledger.count(t,e,s)
def L(o):return r.rms_norm(o,(o.size(-1),),eps=1.1920929e-07)
def tT(o):return r.pad(o[:,:-1],(0,0)*(o.dim()-2)+(1,0))
def M(e):
 if'starts'in e.fields:return e.fields['starts']
 if'documents'not in e.fields:return
 o=e.fields['documents'];return r.pad(o[:,1:]!=o[:,:-1],(1,0))
def tU(n,s,t,i,a,e):
 for c in iu:s=c(n,s,t,i,a,e)
 return s
def tV(n,s,o,t,i,a,e):
 s=tU(n,s,t,i,a,e)
 if e.observe is not None:e.observe(t,i,o)
 return N(r.linear(o,s.to(o.dtype)),o,t,a,e)
def N(r,o,n,a,e):
 if e.c is not None and n in e.c.sites:r=r+e.c.delta(o,n,a)
 return r
def tW(o,a,e):
 if'rope'not in e.memo:n=o.size(1);r=o.size(3);c=o.device;h=a**(-t.arange(0,r,2,dtype=t.float32,device=c)/r);l=t.outer(t.arange(n,dtype=t.float32,device=c),h);e.memo['rope']=l.cos(),l.sin()
 p,m=(i[None,:,None,:].to(o.dtype)for i in e.memo['rope']);s,d=o.chunk(2,-1);return t.cat((s*p+d*m,d*p-s*m),-1)
class GPT(Z.Module):
 def __init__(n,r,h):super().__init__();n.records=r;eH(n,r,h)
 def matrices(n):return j(dict(n.named_parameters()),n.records)
 def h(n,o,t,i,a,e):return tV(n,e.g[f"blocks.{i}.{t}.weight"],o,t,i,a,e)
 def stem(n,ids,ctx):o=r.embedding(ids,ctx.g['tok_emb.weight']);o=N(o,o,'embed',0,ctx);o=o+av(ids,ctx);o=L(o);o=aQ(o,ctx);return o
 def v(n,i,e):o=n.stem(i,e);return L(aP(n,o,o,e))
 def logits(n,x,ctx):
  a=aZ(n,x,ctx)
  for c in ii:a=c(n,a,ctx)
  return a
 def forward(n,ids,targets,phases=(),reduction='mean',adapter=None,observe=None,ledger=None,fields=None):s=fields or{};r={};fields={**r,**s};e=Context(ids,phases,n.training,n.matrices(),{},fields,adapter,observe,ledger);o=n.v(ids,e);a=n.logits(o,e);l=ak(a,targets,reduction,e);return l
def tX(e):
 e=i(e);o=sorted(c for c in e.parent.glob(e.name)if('_bytes_'in c.name)==('_bytes_'in e.name))
 if not o:raise ValueError(f"{e}: no shard matches, see DATA_PATH")
 return o
def tY(c):
 f=i(c).stat().st_size;e=X.fromfile(c,'<i4',3).tolist()
 if f<=1024 or e!=[20240520,1,(f-1024)/2]:raise ValueError(f"{c}: {f} bytes and header {e}, wanted 1024 + 2n bytes and header [20240520, 1, n > 0]")
 return e[2]
def O(c):
 o=X.memmap(c,'<u2','r',1024,tY(c))
 if o.max()>=1024:raise ValueError(f"{c}: token {o.argmax()} is {o.max()}, wanted an id below 1024")
 return o
def tZ(e):
 o=X.concatenate([O(c)for c in tX(e)])
 if len(o)<=4096:raise ValueError(f"{e}: {len(o)} tokens, wanted at least 4097")
 return t.from_numpy(o[:(len(o)-1)//4096*4096+1])
def ae():global ef,iy,ep;ef=.0;iy=ep=c.perf_counter()
def P(n):global iy;iy=c.perf_counter()-n/1e3
def d(a,data):global ef,ep;e=1e3*(c.perf_counter()-iy);s(f"stage:{a} begin:{ef:.0f}ms end:{e:.0f}ms data:{data}");ef=e;ep=c.perf_counter()
def at(e):
 global ep
 if c.perf_counter()>ep+10:ep=c.perf_counter();s(e)
def aa(r,d):global ew,ib,m,f,w,y,eg,b,em;w=r;m=d;y=();eg='';ae();ew=False;em=not(eh or es);h=t.bfloat16 if l.type=='cuda'else t.float32;t._dynamo.config.recompile_limit=16;f=GPT(r,h);eJ(r,d);ib=eM(f);e=i(en,'fineweb_val_*.bin');b=tZ(e);ou(d);o=W.sha256(b.numpy().data).hexdigest();s(f"val_loader:shards pattern={e} tokens:{len(b)-1}\nval_sha256:{o}")
def Q(d):e=i(en,'fineweb_train_*.bin');of(e,d)
def R():
 if not em:raise ValueError('training data are closed: training time is over')
 h=og();o,r=(m.to(l,non_blocking=True)for m in h);return o,r,{}
def ao(e):global ew;s(f"error: {e}");ew=True
def S():
 if not u:return()
 return tuple(c.name for c in u if c.j and c.name in y)
def ai():return H(tf(len(b)))[0]
def an(t):
 e=[()]
 for c in t:e+=[(*i,c.name)for i in e]
 return e
def ar():
 o,r,h=R();o,r=o[:1,:512],r[:1,:512];h={a:p[:1,:512]for(a,p)in h.items()};e=tuple(c.name for c in u);f(o,r,phases=e,fields=h,ledger=m).backward()
 for s in w:n=sum(f.get_parameter(a).grad is not None for a in s.r());m.count(s.l,'trained tensors',n)
 f.zero_grad()
def ah():
 n=f.state_dict();d={a:e.clone()for(a,e)in n.items()};c=eL();r=C();Q(r)
 for i in an(u):
  for o in range(20):am(c,i,Scalars(1.,1.,.9),r);s(' '.join((f"warmup_step:{o+1}/20",*i)))
 for(a,e)in n.items():e.copy_(d[a])
 t.manual_seed(el);Q(m)
def al(r):
 try:ts();ej();d=C();tC(v(im)[0])
 except(OSError,ValueError)as i:print(f"error: {i}",file=p.stderr);p.exit(2)
 t.manual_seed(el);t.backends.cuda.matmul.allow_tf32=True
 if er==0:ac()
 tF();s('plugins:'+' '.join(ih));ad(r,d)
 if em:
  au();ar();ah();o=ag()
  try:tH(o)
  except(OSError,ValueError)as i:tD(str(i));p.exit(f"error: rank {h}: {i}")
 e=not eh and(tR()or ew);eq()
 if e:p.exit(1)
def ad(r,d):
 global y
 try:
  aa(r,d);eT()
  if es:tJ()
  elif eh:y=tuple(c.name for c in u);tP()
  else:Q(C());tn()
  return
 except(OSError,ValueError)as i:
  tD(str(i))
  if not es:eq()
  p.exit(2)
def ac():Y.environ.setdefault('CUBLAS_WORKSPACE_CONFIG',':4096:8');t.use_deterministic_algorithms(True)
def au():s(f"model_params:{sum(e.numel()for e in f.parameters())}\nworld_size:{n} grad_accum_steps:{8//n}\nseed:{el}\ntrain_batch_tokens:786432 train_seq_len:4096 iterations:{g} warmup_steps:20 max_wallclock_seconds:{er:.3f}")
def am(c,t,a,d):
 e=8//n;i=.0
 for m in range(e):o,r,h=R();l=ib(o,r,phases=t,fields=h)/e;i+=l.detach();l.backward()
 c.step(a,d);return i
def af(o,n,r):
 global y;e=tS(o,n,r);a=Scalars(1.,1.,.0)
 for t in il:a=t(e,a,m)
 for c in u:
  if c.name not in y and c.start(e._replace(o=a.o)):y=tuple(i.name for i in u if i.name in y or i is c);m.i(c.l,f"on at step {o}");s(f"phase {c.name} on at step:{o} train_time:{n:.0f}ms")
 return a
def ap():return 1e3*er
def ag():
 c=eL();ov(c.u);r=ap();o=0;n=.0;U()
 while True:
  p=o==g or 0<r<=n
  if p or ig>0 and o%ig==0:
   oF();i=ai();aw(o,f"val_loss:{i.val_loss:.4f} val_bpb:{i.d:.4f}",n)
   if p:break
   U()
  a=af(o,n,r);l=am(c,y,a,m);o+=1;ok(c.u,o,a);n=k(oG(o))
  if ip>0 and(o<=10 or o%ip==0):
   aw(o,f"train_loss:{l:.4f}",n)
   if l!=l:raise ValueError('the training loss is not a number')
 if o<g:s(f"stopping_early: wallclock_cap train_time:{n:.0f}ms step:{o}/{g}")
 e=t.cuda.max_memory_allocated()>>20;h=t.cuda.max_memory_reserved()>>20;s(f"peak memory allocated: {e} MiB reserved: {h} MiB");ox(c.u);P(n);d('train','train');return o
def aw(o,e,n):s(f"step:{o}/{g} {e} train_time:{n:.0f}ms step_avg:{n/max(o,1):.2f}ms")
def ay(o,a,s,e):e.a('additive_skips','skips');return o+e.g['skip_weights'][s].to(o.dtype)*a
def ab(a,e):
 o=t.bitwise_xor(36313*a[:,1:],27191*a[:,0:-1]);s=r.pad(o%3071,(1,0),value=3071);d=M(e)
 if d is not None:n=d;s=s.masked_fill(n,3071)
 return s
def av(a,e):e.a('bigram_hash','lookups');i=e.g['bigram.embed.weight'];o=r.embedding(ab(a,e),i);n=r.linear(o,e.g['bigram.proj.weight'].to(o.dtype));return n*e.g['bigram.scale'].to(o.dtype)
def ak(o,a,reduction,e):e.a('cross_entropy','losses');l=r.cross_entropy(o.flatten(0,1).float(),a.flatten(),reduction=reduction);return l.view_as(a)if reduction=='none'else l
def ax(n,o,i,a,e):e.a('leaky_relu2','layers');s=r.leaky_relu(n.h(o,'mlp.fc',i,a,e),.5).square();return n.h(s,'mlp.proj',i,a,e)
def aj(o,i,e):e.a('ln_scale','branches');n=(i+1)**-.5;return o*n
def aq(length):e=max(length/1024,1.)**(16/14);return 1e4*e
def az(o,e):e.a('ntk_rope','rotations');n=e.fields['segments'][0].size(1)if'segments'in e.fields else o.size(1);a=tW(o[...,:16],aq(n),e);return t.cat((a,o[...,16:]),-1)
def T(tensor,generator,ledger):
 if min(tensor.shape)>=64:Z.init.orthogonal_(tensor,generator=generator);ledger.count('ortho_init','orthogonal matrices')
 else:o=tensor.shape[-1]**-.5;tensor.uniform_(-o,o,generator=generator)
def aA(model,s,c,o,i,a,ctx):
 if i<6:return s,c
 ctx.a('pko','layers');r=c[...,16:];h=t.cat((r[:,:1],r[:,:-1]),dim=1);d=M(ctx)
 if d is not None:h=t.where(d[:,:,None,None],r,h)
 return s,t.cat((c[...,:16],h),dim=-1)
def aB(model,s,c,o,i,a,ctx):ctx.a('qk_gain','layers');t=ctx.g[f"blocks.{i}.attn.q_gain"].to(s.dtype);return s*t[:,None],c
def aC(tensor,generator,ledger):tensor.zero_();tensor[0]=1.
def aD(s,c,o,i,e):return aX(s,c,o,i,e)
def aE(n,o,i,a,e):
 l=n.h(o,'attn.c_q',i,a,e);h=n.h(o,'attn.c_k',i,a,e);d=n.h(o,'attn.c_v',i,a,e);d=ot(d,i,e);l=az(L(t.unflatten(l,2,(8,-1))),e);h=az(L(t.unflatten(h,2,(4,-1))),e);d=t.unflatten(d,2,(4,-1))
 for c in(aA,aB):l,h=c(n,l,h,o,i,a,e)
 r=aD(l,h,d,i,e);r=oa(r,d,i,e);r=n.h(r.flatten(2),'attn.proj',i,a,e);return N(r,o,'attn',a,e)
def aF(s,c,o,a,e):
 l=s.transpose(1,2);h=c.transpose(1,2);d=o.transpose(1,2)
 if a<0 or a>=l.size(2)-1:n=l.size(1)!=h.size(1);return r.scaled_dot_product_attention(l,h,d,is_causal=True,enable_gqa=n).transpose(1,2)
 return aG(s,c,o,aH(l.size(2),a,l.device,e))
def aG(s,c,o,i):l=s.transpose(1,2);h=c.transpose(1,2);d=o.transpose(1,2);n=l.size(1)//h.size(1);h=h.repeat_interleave(n,1);d=d.repeat_interleave(n,1);return r.scaled_dot_product_attention(l,h,d,attn_mask=i).transpose(1,2)
def aH(length,a,device,e):
 d='window',a
 if d not in e.memo:o=t.arange(length,device=device);s=o[:,None]-o[None,:];e.memo[d]=(s>=0)&(s<=a)
 i=e.memo[d];return i
def aI(o,t,i,e):a=e.g[f"blocks.{i}.resid_mix"].to(o.dtype);return a[0]*o+a[1]*t
def aJ(o,i,e):a=L(o);a=aj(a,i,e);return a
def aK(n,o,i,a,e):s=aE(n,o,i,a,e);return e.g[f"blocks.{i}.attn_scale"].to(o.dtype)*s
def aL(n,o,i,a,e):s=ax(n,o,i,a,e);s=N(s,o,'mlp',a,e);return e.g[f"blocks.{i}.mlp_scale"].to(o.dtype)*s
def aM(n,o,t,i,a,e):s=aI(o[0],t,i,e);s=s+aK(n,aJ(s,i,e),i,a,e);return s+aL(n,aJ(s,i,e),i,a,e),
def aN(o,a,s,i,e):
 if a is None:return o
 return ay(o[0],a,s,e),*o[1:]
def aO(n,o,t,e):
 r,d=oe(e.phases);e.a('unet_plan','steps over 11 layers',len(r)+len(d));c=[]
 for(a,i)in enumerate(r):o=aM(n,o,t,i,a,e);c.append(o[0])
 for(s,i)in enumerate(d):o=aN(o,c.pop()if c else None,s,i,e);o=aM(n,o,t,i,len(r)+s,e)
 return o
def aP(n,o,a,e):e.a('sequential_wiring','walks');return aO(n,(o,),a,e)[0]
def aQ(o,e):
 e.a('smear_gate','blends');a=tT(o);d=M(e)
 if d is not None:a=a.masked_fill(d[...,None],0)
 n=t.sigmoid(e.g['smear.gate']).to(o.dtype);return(1-n)*o+n*a
def aR():
 if l.type!='cuda':return'scaled_dot_product_attention',None
 try:from flash_attn_interface import flash_attn_func as e;return'flash-attn 3',e
 except ImportError:
  try:from flash_attn import flash_attn_func as e;return'flash-attn 2',e
  except ImportError:return aU(),None
def aS(e,s,c,o,a):r=e(s,c,o,causal=True,window_size=(a,0));return r[0]if isinstance(r,tuple)else r
def aT(n,s,c,o,a,e):
 if n is not None:return aS(n,s,c,o,a)
 return aF(s,c,o,a,e)
def aU():e=t.are_deterministic_algorithms_enabled();t.backends.cuda.enable_cudnn_sdp(not e);t.backends.cuda.enable_flash_sdp(e);t.backends.cuda.enable_math_sdp(False);return'FlashAttention of PyTorch'if e else'cuDNN'
def aV():
 def e(h,head,query,key):return(query>=key)&(query-key<=256)
 return e
def aW():
 global ee;a,ee=aR()
 if l.type!='cuda'or ee is not None:return a
 for n in(4096,4096):e=aV();et[n]=create_block_mask(e,None,None,n,n,device=l)
 return f"flex_attention (windows), {a} (full)"
def aX(l,h,d,i,e):
 o=i<6;e.a('swa','windowed layers'if o else'full layers');a=256 if o else-1
 if o and e.ledger is None and l.size(1)in et:n=l.size(2)!=h.size(2);s=l.transpose(1,2),h.transpose(1,2),d.transpose(1,2);r=flex_attention(*s,block_mask=et[l.size(1)],enable_gqa=n);return r.transpose(1,2)
 return aT(ee,l,h,d,a,e)
def aY(model,o,ctx,cap):ctx.a('tanh_softcap','caps');return cap*t.tanh(o/cap)
def aZ(n,o,e):e.a('tied_head','heads');return tV(n,e.g['tok_emb.weight'],o,'head',0,0,e)
def oe(t):o=tuple(range(11));return o[:len(o)//2],o[len(o)//2:]
def ot(a,i,e):
 if i not in(9,10):return a
 e.a('value_embedding','layers')
 if've'not in e.memo:o=r.embedding(e.ids,e.g['ve_shared.embed.weight']);o=r.linear(o,e.g['ve_shared.proj.weight'].to(o.dtype));e.memo['ve']=o*e.g['ve_shared.scale'].to(o.dtype)
 n=e.g[f"ve_layer_scales.{ic.index(i)}"];s=e.memo['ve'];return a+n.to(a.dtype)*s
def oa(a,o,i,e):
 if i<0:return a
 e.a('xsa','layers');n=t.unflatten(a,2,(o.size(2),-1));s=r.normalize(o,dim=-1)[:,:,:,None,:];return(n-(n*s).sum(-1,keepdim=True)*s).flatten(2,3)
def oo(data):d=lzma.compress(data,preset=9);m.i('lzma',f"{len(data)} -> {len(d)} bytes");return d
def oi(data,o):
 d=lzma.LZMADecompressor(memlimit=2**27);e=d.decompress(data,o)
 if not d.eof or d.unused_data:raise ValueError(f"wanted one whole stream of at most {o} bytes")
 return e
def on(o):e=io.BytesIO();n={p.intern(a):{p.intern(d):m for(d,m)in s.items()}for(a,s)in o.items()};t.save(n,e);return e.getvalue()
def os(data):return t.load(io.BytesIO(data),map_location='cpu',weights_only=True)
def oh(o):r=on(o);m.i('torch_save',f"{len(o)} tensors in {len(r)} bytes");return r
def ol(data):return os(data)
def od():
 try:e=SentencePieceProcessor(ed)
 except(OSError,RuntimeError)as i:raise OSError(f"{ed}: not a SentencePiece model")from i
 if len(e)>1024:raise ValueError(f"{ed} has {len(e)} pieces, wanted at most vocab_size=1024")
 if e.piece_to_id('\u2581')==e.unk_id():raise ValueError(f"{ed}: U+2581 is not a piece of its own")
 return e
def oc(e):
 o=[(0,0,1)]*1024
 for a in range(len(e)):
  if not(e.is_control(a)or e.is_unknown(a)or e.is_unused(a)):n=e.id_to_piece(a);i=n.startswith('\u2581');o[a]=1 if e.is_byte(a)else len(n.encode())-3*i,i,0
 return t.tensor(o).T
def ou(d):
 global iE,iD,iv,iC
 if any(i(en).glob('*_bytes_*')):raise ValueError(f"{en}: it has byte side files, build with the plugin that reads them")
 e=oc(od());iC,iD,iE=e.to(l);iv=d
def om(o,e,a):iv.count('sentencepiece_bytes','targets',e.numel());d=iC[e]+(iD[e]&~iE[o]);return d
def of(e,d):
 global ey,ij,ik,eb,ix;ey=tX(e)
 for c in ey:tY(c)
 ik=h;ix=n;ij=d;eb=O(ey[0])
def op(o):
 global eb;s=[]
 while o>0:
  if not len(eb):ey.append(ey.pop(0));eb=O(ey[0])
  s.append(eb[:o]);eb=eb[o:];o-=len(s[-1])
 return X.concatenate(s)
def og():o=op(ix*98305).reshape(ix,-1)[ik];o=t.from_numpy(o.astype(int));ij.count('sequential_loader','batches');return o[:-1].reshape(-1,4096),o[1:].reshape(-1,4096)
def ow(e):o=min(64,4096);c=e-1;n=range(0,max(c-(4096-o),1),o);return[Span(a,min(a+4096,c),0 if a==0 else 4096-o)for a in n]
def oy(g):global iq;s=[{'params':i,'spec':c}for(c,i,r)in g];iq=t.optim.AdamW(s,betas=(.9,.95),eps=1e-08,fused=True)
def ob(a,d):
 for n in iq.param_groups:n['lr']=n['spec'].lr*a.o;n['weight_decay']=n['spec'].weight_decay*a.z
 iq.step();d.count('adam','steps')
@t.no_grad()
def ov(i):global ev,iz;iz=0;ev=[e.detach().float().clone()for e in i]
@t.no_grad()
def ok(i,w,a):global iz;iz+=1;t._foreach_mul_(ev,.997);t._foreach_add_(ev,[e.detach().float()for e in i],alpha=1-.997)
@t.no_grad()
def ox(i):
 for(e,o)in zip(i,ev,strict=True):e.copy_(o)
 m.count('ema','updates',iz)
def oj(i,names,ledger,max_norm):Z.utils.clip_grad_norm_(i,max_norm);ledger.count('grad_clip','steps')
def oq(e,a,ledger,start,final,steps):o=min(e.step/steps,1.)if steps>0 else 1.;p=(1-o)*start+o*final;ledger.i('momentum_warmup',f"momentum {p:.4f} at step {e.step}");return a._replace(momentum=p)
def oz(tensor,t,names,lr,a,ledger,weight_decay):tensor.mul_(1-lr*weight_decay*a.z);ledger.count('muon_weight_decay','tensors decayed')
def oA(o,steps,scale_first):
 a=o.shape[-2]>o.shape[-1]
 if a:o=o.mT
 o=o/(o.norm(dim=(-2,-1),keepdim=True)+1e-07)
 for m in range(steps):e=o@o.mT;n=2.0315*e@e if scale_first else 2.0315*(e@e);o=3.4445*o+(-4.775*e+n)@o
 return o.mT if a else o
class MuonBank(e):weight:e;names:e;D:e;full:e;q:e;momentum:e;y:e
def oB(i,r):
 global ek,iF;iF={};ek=[];b=t.bfloat16 if l.type=='cuda'else t.float32
 for(s,u)in sorted(zip(i,r,strict=True),key=lambda T:-T[0].numel()):*m,o,x=s.shape;e=-(-len(u)//n);d=(*u,*['']*e*n)[e*h:][:e];w=[(f,o,x)for f in(e*n,e)];c,a=[t.zeros(g,dtype=b,device=l)for g in w];y,p=[t.zeros(g,dtype=t.bfloat16,device=l)for g in w];ek.append(MuonBank(s,u,d,c,a,p,y))
def oC():
 global iA;iA=[]
 for e in ek:c=eA(e.weight).bfloat16();e.full.flatten()[:c.numel()].copy_(c.flatten());iA.append(eC(e.q,e.full))
def oD(a,d):
 o=[]
 for(e,i)in zip(ek,iA,strict=True):
  eE(i);r=n;c=(e.q/r).bfloat16();t=eR(c,e.momentum,a.momentum);t=eO(t,e.D);o.append((e,eD(e.y,t),t))
  if len(o)>1:oE(*o.pop(0),a,d)
 for s in o:oE(*s,a,d)
def oE(e,i,t,a,d):eE(i);s=e.weight;o=e.y.flatten()[:s.numel()].view_as(s);eP(s,o,e.names,eS(s),a,d);d.count('parallel_muon','bank updates');d.count('newton_schulz','matrices',e.y.size(0))
def U():global iB;iB=c.perf_counter()-ea
def oF():
 global ea
 if t.cuda.is_available():t.cuda.synchronize()
 ea=c.perf_counter()-iB;m.i('wall_clock',f"{ea:.3f} seconds")
def oG(o):return 1e3*(c.perf_counter()-iB)
def oH(e,length):
 if length<=0:return 1.
 if e.f>0:o=length*(e.p/max(e.step,1));return min(max(e.f-e.p,.0)/max(o,1e-09),1.)
 a=e.C-e.step;return a/length if 0<a<=length else 1.
def oI(e,a,ledger,length):o=oH(e,length);ledger.i('warmdown_iters',f"multiplier {o:.4f} at step {e.step}");return a._replace(o=a.o*o)
def oJ(model,weight,t,i,a,ctx,half):
 if not t.startswith(('attn.','mlp.'))or not ctx.training or'bank_qat'not in ctx.phases:return weight
 ctx.a('bank_qat','matrices');h,o=eV(weight.detach().float(),half);return weight+(F(h,o,weight.dtype)-weight).detach()
def oK(e,threshold):return e.o<threshold
class Trial(e):codes:e;step:e;error:e
class oL:
 name='int6'
 def __init__(n,e):n.floor=.03225806451612903;n.x=e
 def encode(n,name,tensor,statistics,ledger):
  if tensor.numel()<=65536 or tensor.ndim!=2:ledger.count('clip_search','tensors kept');return{'kept':tensor.half()}
  ledger.count('clip_search','tensors quantized');s,t=tensor.float(),None
  for o in eW(s,n.floor):i=C()if t else ledger;h=n.x(name,s,o,31,statistics,i);t=oN(t,oM(s,h,o,statistics))
  return{'codes':t.codes,'step':t.step}
 def B(n,r,i,c):
  m.count('clip_search','tensors quantized',len(r));g=[e.float()for e in i];w=[eW(s,n.floor)for s in g];t=[None]*len(r);T=n.x
  for a in range(len(w[0])):
   d=[p for(p,b)in enumerate(w)if not any(b[a].equal(y)for y in b[:a])];Y=[[f[p]for p in d]for f in(r,g)];u=[c[p]for p in d];b=[w[p][a]for p in d];l=T.solve(*Y,b,31,u,C()if a else m)if d else[]
   for(p,h,o)in zip(d,l,b,strict=True):t[p]=oN(t[p],oM(g[p],h,o,c[p]))
  return[{'codes':x.codes,'step':x.step}for x in t if x]
 def decode(n,name,parts,kind):return eZ(parts,kind)
def oM(s,h,o,c):
 if'hessian'in c:f=c['hessian'].diagonal()==0;return Trial(h,o,eX(s.masked_fill(f,.0),h.masked_fill(f,0),o))
 return Trial(h,o,eX(s,h,o))
def oN(y,d):
 if y is None:return d
 e=d.error<y.error;return Trial(*(t.where(e,o,a)for(a,o)in zip(y,d,strict=True)))
class oO:
 I='hessian',
 def __init__(n):n.block=128
 def __call__(n,name,weight,step,e,c,ledger):return n.solve([name],[weight],[step],e,[c],ledger)[0]
 def solve(n,names,weights,steps,top,statistics,ledger):
  for(a,u)in zip(names,statistics,strict=True):
   if'hessian'not in u:raise ValueError(f"{a} has no input statistics, which gptq needs")
  Y,eu,x=[],[],[]
  for(s,u)in zip(weights,statistics,strict=True):i,f=te(u['hessian']);T=u['order']if'order'in u else i.diagonal().argsort(descending=True,stable=True);Y.append(T);eu.append(i[T][:,T]);x.append(s.masked_fill(f,.0).T[T])
  y,m=oP(t.stack(eu)),t.stack(x);h,o=t.empty_like(m),t.stack(steps).float()
  for l in range(0,m.shape[1],n.block):oQ(m,h,y,o,top,l,min(l+n.block,m.shape[1]))
  b=(~y.isfinite()).flatten(1).any(1).tolist();ledger.count('gptq','matrices rounded to nearest, whose Hessian has no Cholesky factor',sum(b));ledger.count('gptq','matrices',len(names)-sum(b));return[D(weights[p],o[p],top)if b[p]else h[p,T.argsort()].T.contiguous().to(t.int8)for(p,T)in enumerate(Y)]
def oP(i):e,b=t.linalg.cholesky_ex(i);o,a=t.linalg.cholesky_ex(t.cholesky_inverse(e),upper=True);return t.where((b+a>0)[...,None,None],t.nan,o)
def oQ(m,h,y,o,e,l,s):
 n=t.empty_like(m[:,l:s])
 for a in range(l,s):h[:,a]=(m[:,a]/o).round().clamp(-e,e);i=(m[:,a]-h[:,a]*o)/y[:,a,a,None];m[:,a:s]-=y[:,a,a:s,None]*i[:,None];n[:,a-l]=i
 m[:,s:]-=y[:,l:s,s:].mT@n
def oR(c):
 r=[(a,d)for a in sorted(c)for d in sorted(c[a])]
 for(s,e)in enumerate(v(r)):
  if e!=r:o=sorted({*r}^{*e})[0][0];raise ValueError(f"ranks {h} and {s} have statistics of different matrices, such as {o}")
 for(a,d)in r:ez(c[a][d]).div_(n);m.count('hessian_all_reduce',f"statistics over {n} ranks")
 return c
class V:
 name='int8'
 def __init__(n,half):n.half=half
 def encode(n,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int8','tensors kept');return{'kept':tensor.half()if n.half else tensor.float()}
  ledger.count('int8','tensors quantized');h,o=eY(tensor.float());return{'codes':h,'step':o}
 def decode(n,name,parts,kind):return eZ(parts,kind)
def oS():
 e=64//n
 for i in range(h*e,(h+1)*e,8):a=range(i,min(i+8,(h+1)*e));o=t.stack([oU(s)for s in a]);m.count('self_calibration','sequences',len(o));yield oT(o.to(l))[:,:-1]
def oT(o):
 i=t.zeros_like(o,dtype=t.long);i[:,0]=(o[:,0]*1024).long()
 for p in range(1,o.shape[1]):a=oV(i,p-1);i[:,p]=oW(a/.8,o[:,p:p+1])[:,0]
 return i
def oU(s):return t.rand(4096,generator=eI(f"self_calibration {s}"))
def oV(i,p):h={};e=Context(i,S(),False,f.matrices(),{},h,None,None,None);return f.logits(f.v(i,e)[:,p:p+1],e)[:,0].float()
def oW(a,e):o=a.softmax(1).cumsum(1)<=e;return o.sum(1,keepdim=True).clamp_max(a.shape[1]-1)
def oX():return Param('qo_bank',(22,512,512),'matrix','attn',(T,q),'banks',s=('blocks.{}.attn.c_q.weight','blocks.{}.attn.proj.weight'),reduction='sharded'),Param('kv_bank',(22,256,512),'matrix','attn',(T,T),'banks',s=('blocks.{}.attn.c_k.weight','blocks.{}.attn.c_v.weight'),reduction='sharded'),Param('mlp_up_bank',(11,1536,512),'matrix','mlp',(T,),'banks',s=('blocks.{}.mlp.fc.weight',),reduction='sharded'),Param('mlp_down_bank',(11,512,1536),'matrix','mlp',(q,),'banks',s=('blocks.{}.mlp.proj.weight',),reduction='sharded'),Param('skip_weights',(5,512),'scalar','control',z,'additive_skips'),Param('bigram.embed.weight',(3072,112),'embed','aux',q,'bigram_hash','activation'),Param('bigram.proj.weight',(512,112),'scalar','aux',T,'bigram_hash'),Param('bigram.scale',(),'scalar','control',a(A,value=.05),'bigram_hash'),Param('blocks.{}.attn.q_gain',(8,),'scalar','control',a(A,value=2.5),'qk_gain',layers=11),Param('blocks.{}.attn_scale',(512,),'scalar','control',z,'residual_scales',layers=11),Param('blocks.{}.mlp_scale',(512,),'scalar','control',z,'residual_scales',layers=11),Param('blocks.{}.resid_mix',(2,512),'scalar','control',aC,'residual_scales',layers=11),Param('smear.gate',(512,),'scalar','control',q,'smear_gate'),Param('tok_emb.weight',(1024,512),'embed','embed',a(eK,std=.005),'tied_head','activation',m='head'),Param('ve_shared.embed.weight',(1024,128),'embed','aux',a(eK,std=.01),'value_embedding','activation'),Param('ve_shared.scale',(),'scalar','control',a(A,value=.1),'value_embedding'),Param('ve_layer_scales.{}',(1,),'scalar','control',z,'value_embedding',layers=2),Param('ve_shared.proj.weight',(256,128),'scalar','aux',T,'value_embedding')
def oY():global eg;eg='swa';eU(aW())
ie=a(oz,weight_decay=.04),
ee=None
et={}
ea=.0
it=a(oj,max_norm=.3),
ia=Group('embed',.035,.04),Group('scalar',.025,.04)
ii=a(aY,cap=3e1),
ir=a(oA,scale_first=False)
eo=None
u=Phase('bank_qat',a(oK,threshold=.15),False,'bank_qat'),
ih='adam','additive_skips','bank_qat','banks','bigram_hash','clip_search','cross_entropy','ema','gptq','grad_clip','hessian_all_reduce','int8','leaky_relu2','ln_scale','lzma','momentum_warmup','muon_weight_decay','newton_schulz','ntk_rope','ortho_init','parallel_muon','pko','qk_gain','residual_scales','self_calibration','sentencepiece_bytes','sequential_loader','sequential_wiring','sliding_eval','smear_gate','swa','tanh_softcap','tied_head','torch_save','unet_plan','value_embedding','wall_clock','warmdown_iters','xsa'
il=a(oq,final=.99,start=.92,steps=1500),a(oI,length=4000)
ei={'attn':oL(oO()),'aux':V(True),'control':V(False),'embed':V(True),'mlp':oL(oO())}
ic=9,10
iu=a(oJ,half=True),
if __name__=='__main__':al(oX())